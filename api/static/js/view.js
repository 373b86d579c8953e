// @ts-check
// The view: symbols, ranges and filters, kept in the page's address so that it can be shared.

/** @typedef {import("./types.js").View} View */

export const CHOICES = {
  interval: ["1s", "5s", "1m", "5m", "1h"],
  range: ["5m", "15m", "1h", "6h", "1d", "all"],
  type: ["candles", "line"],
  window: ["5m", "15m", "1h", "6h", "1d", "all"],
  sort: ["name", "change"],
};
export const MAX_SYMBOLS = 8;

/** @type {View} */
const DEFAULT = {
  symbols: [], interval: "5s", range: "15m", type: "candles", window: "1h", filter: "", find: "", sort: "name",
};

/** The view of an address, with the default for each part that is missing or unknown. @param {string} search @returns {View} */
export function read(search) {
  const parameters = new URLSearchParams(search);
  const view = { ...DEFAULT };
  for (const [name, values] of Object.entries(CHOICES)) {
    const value = parameters.get(name) ?? "";
    if (values.includes(value)) view[name] = value;
  }
  const symbols = (parameters.get("symbols") ?? "").split(",").filter(Boolean);
  view.symbols = [...new Set(symbols)].slice(0, MAX_SYMBOLS);
  view.filter = (parameters.get("filter") ?? "").slice(0, 60);
  view.find = (parameters.get("find") ?? "").slice(0, 60);
  return view;
}

/** The query of a view, without its defaults. @param {View} view */
export function write(view) {
  const pairs = Object.entries(view)
    .map(([name, value]) => [name, String(value)])
    .filter(([name, value]) => value !== String(DEFAULT[name]));
  const query = new URLSearchParams(pairs).toString().replaceAll("%2C", ",");
  return query ? `?${query}` : "";
}

/** The view of this page; subscribers are called with each new view and the one before. */
export function createView() {
  let view = read(location.search);
  /** @type {((now: View, before: View) => void)[]} */
  const listeners = [];
  let timer = 0;

  // Browsers limit how often the address may change.
  const save = () => {
    clearTimeout(timer);
    timer = setTimeout(() => history.replaceState(null, "", location.pathname + write(view)), 150);
  };
  return {
    get: () => view,
    /** @param {Partial<View>} change */
    set(change) {
      const before = view;
      view = { ...view, ...change };
      if (write(view) === write(before)) return;
      save();
      for (const listener of listeners) listener(view, before);
    },
    /** @param {(now: View, before: View) => void} listener */
    subscribe: (listener) => void listeners.push(listener),
  };
}
