// @ts-check
// The chosen symbols in numbers, over a window that ends with the newest tick.

import { rows as ask } from "../api.js";
import { copy, find, say } from "../dom.js";
import * as format from "../format.js";
import { SECONDS } from "../intervals.js";

const LEAST_MS = 3000;
// A question that takes long is asked less often.
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
  let asking = new AbortController();
  let timer = 0;

  async function load() {
    clearTimeout(timer);
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const { symbols, window } = view.get();
    const begun = performance.now();
    if (symbols.length && !document.hidden) {
      await ask("stats", { symbols, from: beginning(symbols, window) }, signal).then(
        (found) => (show(symbols, found), say(note, "")),
        (error) => signal.aborted || say(note, `Not up to date: ${error.message}`),
      );
    }
    if (!signal.aborted) timer = setTimeout(load, Math.max(LEAST_MS, SHARE * (performance.now() - begun)));
  }

  /** @param {string[]} symbols @param {string} window */
  function beginning(symbols, window) {
    if (window === "all") return "1970-01-01T00:00:00Z";
    return new Date(market.newest(symbols) - 1000 * SECONDS[window]).toISOString();
  }

  /** @param {string[]} symbols @param {any[]} found */
  function show(symbols, found) {
    while (body.children.length > symbols.length) body.lastElementChild?.remove();
    while (body.children.length < symbols.length) body.append(copy("stat"));
    symbols.forEach((symbol, at) => {
      const row = /** @type {HTMLElement} */ (body.children[at]);
      const values = found.find((each) => each.symbol === symbol);
      row.dataset.symbol = symbol;
      say(find(".symbol", row), symbol);
      for (const [name, text] of CELLS) say(find(`.${name}`, row), values ? text(values) : "–");
    });
  }

  view.subscribe((now, before) => {
    if (String(now.symbols) !== String(before.symbols) || now.window !== before.window) load();
  });
  document.addEventListener("visibilitychange", () => document.hidden || load());
  return { load };
}
