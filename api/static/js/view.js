// @ts-check
// What is looked at, kept in the page's address, so that a view can be handed on.

/** @typedef {import("./types.js").View} View */

export const CHOICES = {
  interval: ["1s", "5s", "1m", "5m", "1h"],
  range: ["5m", "15m", "1h", "6h", "1d", "all"],
  type: ["candles", "line"],
  window: ["5m", "15m", "1h", "6h", "1d", "all"],
  sort: ["name", "change"],
};
export const MOST_SYMBOLS = 8;

/** @type {View} */
const DEFAULT = {
  symbols: [], interval: "5s", range: "15m", type: "candles", window: "1h", filter: "", find: "", sort: "name",
};

/** The view of an address; what it does not know falls back. @param {string} search @returns {View} */
export function read(search) {
  const given = new URLSearchParams(search);
  const view = { ...DEFAULT };
  for (const [name, values] of Object.entries(CHOICES)) {
    const value = given.get(name) ?? "";
    if (values.includes(value)) view[name] = value;
  }
  const symbols = (given.get("symbols") ?? "").split(",").filter(Boolean);
  view.symbols = [...new Set(symbols)].slice(0, MOST_SYMBOLS);
  view.filter = (given.get("filter") ?? "").slice(0, 60);
  view.find = (given.get("find") ?? "").slice(0, 60);
  return view;
}

/** The query of a view: only what is not the default. @param {View} view */
export function write(view) {
  const pairs = Object.entries(view)
    .map(([name, value]) => [name, String(value)])
    .filter(([name, value]) => value !== String(DEFAULT[name]));
  const query = new URLSearchParams(pairs).toString().replaceAll("%2C", ",");
  return query ? `?${query}` : "";
}

/** The view of this page; whoever subscribes hears of each change, and of what it was before. */
export function createView() {
  let view = read(location.search);
  /** @type {((now: View, before: View) => void)[]} */
  const listeners = [];
  let timer = 0;

  // Browsers refuse addresses that change with every key.
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
