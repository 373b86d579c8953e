// @ts-check
// The keyboard of the chart: arrows move the crosshair, + and - zoom, and a live region announces the values.

import { candleAt } from "./candles.js";
import { setText } from "../dom.js";

/**
 * @param {HTMLElement} element @param {ReturnType<typeof import("./chart.js").createChart>} chart
 * @param {() => ReturnType<typeof import("./history.js").createHistory> | null} current
 * @param {HTMLElement} announcement the live region @param {() => string} text the text of the legend
 */
export function createChartKeys(element, chart, current, announcement, text) {
  /** @type {number | null} */
  let start = null;

  /** @param {(at: number, count: number) => number} step */
  function move(step) {
    const history = current();
    const { left, right } = chart.window();
    const rows = (history?.rows(history.symbols[0]) ?? []).filter((row) => row.start >= left && row.start <= right);
    if (!history || !rows.length) return;
    const known = start === null ? rows.length : rows.indexOf(candleAt(rows, start) ?? rows[0]);
    const row = rows[Math.min(rows.length - 1, Math.max(0, step(known, rows.length)))];
    start = row.start;
    const open = history.rows(history.symbols[0])[0].open;
    chart.point(row.start, history.symbols.length > 1 ? 100 * (row.close / open - 1) : row.close);
    setText(announcement, text());
  }

  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowLeft: () => move((at) => at - 1),
    ArrowRight: () => move((at) => at + 1),
    PageUp: () => move((at) => at - 10),
    PageDown: () => move((at) => at + 10),
    Home: () => move(() => 0),
    End: () => move((_, count) => count - 1),
    "+": () => chart.zoom(0.5),
    "=": () => chart.zoom(0.5),
    "-": () => chart.zoom(2),
    0: () => chart.reset(),
    Escape: () => leave(),
  };
  const leave = () => {
    start = null;
    setText(announcement, "");
    chart.unpoint();
  };
  element.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  element.addEventListener("blur", leave);
}
