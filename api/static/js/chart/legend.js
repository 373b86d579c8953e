// @ts-check
// The line above the chart: the values at the crosshair, or the newest ones.

import { candleAt } from "./candles.js";
import { find, makeElement, setAttribute, setText } from "../dom.js";
import * as format from "../format.js";

/** @typedef {ReturnType<typeof import("./history.js").createHistory>} History */

/** @param {HTMLElement} element */
export function createLegend(element) {
  const head = find(".head", element);
  const values = find(".values", element);
  /** @type {Map<string, HTMLElement>} */
  const slots = new Map();

  /** Write values by name into elements that stay. @param {[string, string, string][]} pairs name, value, direction */
  function write(pairs) {
    const names = pairs.map(([name]) => name);
    if (names.join() !== [...slots.keys()].join()) {
      slots.clear();
      values.replaceChildren(...names.map((name, at) => {
        const slot = makeElement("b");
        slots.set(name, slot);
        return makeElement("span", { class: "pair", "data-line": String(at + 1) }, makeElement("i", {}, name), slot);
      }));
    }
    for (const [name, value, direction] of pairs) {
      const slot = /** @type {HTMLElement} */ (slots.get(name));
      setText(slot, value);
      setAttribute(slot, "data-direction", direction);
    }
  }

  /** @param {History} history @param {number | null} time of the crosshair */
  function show(history, time) {
    const [symbol] = history.symbols;
    const at = time ?? history.end();
    const isOther = history.interval() !== history.requested;
    const why = isOther ? ` (${history.requested} is too fine for this range)` : "";
    element.classList.toggle("comparison", history.symbols.length > 1);
    const row = candleAt(history.rows(symbol), at);
    const when = row ? format.moment(row.start, history.step()) : "";
    if (history.symbols.length > 1) {
      const first = history.rows(symbol)[0];
      setText(head, `${when} · ${history.interval()}${why} · change since ${first ? format.moment(first.start, history.step()) : "?"}`);
      return write(history.symbols.map((each) => compared(each, history, at)));
    }
    setText(head, `${when} · ${history.interval()}${why}`);
    if (!row) return write([]);
    const moved = row.close - row.open;
    write([
      ["O", format.price(row.open), ""], ["H", format.price(row.high), ""], ["L", format.price(row.low), ""],
      ["C", format.price(row.close), ""],
      ["Change", format.percent((100 * moved) / row.open), format.direction(moved)],
      ["V", format.big(row.volume), ""],
    ]);
  }
  return { show, text: () => `${head.textContent}: ${[...slots].map(([name, slot]) => `${name} ${slot.textContent}`).join(", ")}` };
}

/** @param {string} symbol @param {History} history @param {number} at @returns {[string, string, string]} */
function compared(symbol, history, at) {
  const rows = history.rows(symbol);
  const row = candleAt(rows, at);
  if (!row) return [symbol, format.UNKNOWN, ""];
  const moved = 100 * (row.close / rows[0].open - 1);
  return [symbol, format.percent(moved), format.direction(moved)];
}
