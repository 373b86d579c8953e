// @ts-check
// The statistics of the selected symbols, over a window that ends with the newest tick.

import { rows as fetchRows } from "../api.js";
import { cloneTemplate, find, setText } from "../dom.js";
import * as format from "../format.js";
import { SECONDS } from "../intervals.js";

const MIN_PAUSE_MS = 3000;
// A slow request is made less often.
const SHARE = 10;

/** @type {[string, (row: any) => string][]} the cells of a row, by their class */
const CELLS = [
  ["ticks", (row) => format.big(Number(row.ticks))],
  ["low", (row) => format.price(row.min_price)],
  ["mean", (row) => format.price(row.mean_price)],
  ["vwap", (row) => format.price(row.vwap ?? NaN)],
  ["high", (row) => format.price(row.max_price)],
  ["deviation", (row) => (row.price_deviation == null ? format.UNKNOWN : format.number(row.price_deviation, 3))],
  ["volume", (row) => format.big(Number(row.volume))],
];

/**
 * @param {ReturnType<typeof import("../live/market.js").createMarket>} market
 * @param {ReturnType<typeof import("../view.js").createView>} view
 */
export function createStats(market, view) {
  const body = find("#stats tbody");
  const note = find("#stats .note");
  let loading = new AbortController();
  let timer = 0;

  async function load() {
    clearTimeout(timer);
    loading.abort();
    loading = new AbortController();
    const { signal } = loading;
    const { symbols, window } = view.get();
    const begun = performance.now();
    if (symbols.length && !document.hidden) {
      await fetchRows("stats", { symbols, from: begin(symbols, window) }, signal).then(
        (rows) => (show(symbols, rows), setText(note, "")),
        (error) => signal.aborted || setText(note, `Not up to date: ${error.message}`),
      );
    }
    if (!signal.aborted) timer = setTimeout(load, Math.max(MIN_PAUSE_MS, SHARE * (performance.now() - begun)));
  }

  /** @param {string[]} symbols @param {string} window */
  function begin(symbols, window) {
    if (window === "all") return "1970-01-01T00:00:00Z";
    return new Date(market.newest(symbols) - 1000 * SECONDS[window]).toISOString();
  }

  /** @param {string[]} symbols @param {any[]} rows */
  function show(symbols, rows) {
    while (body.children.length > symbols.length) body.lastElementChild?.remove();
    while (body.children.length < symbols.length) body.append(cloneTemplate("stat"));
    symbols.forEach((symbol, at) => {
      const row = /** @type {HTMLElement} */ (body.children[at]);
      const values = rows.find((each) => each.symbol === symbol);
      row.dataset.symbol = symbol;
      setText(find(".symbol", row), symbol);
      for (const [name, text] of CELLS) setText(find(`.${name}`, row), values ? text(values) : "–");
    });
  }

  view.subscribe((now, before) => {
    if (String(now.symbols) !== String(before.symbols) || now.window !== before.window) load();
  });
  document.addEventListener("visibilitychange", () => document.hidden || load());
  return { load };
}
