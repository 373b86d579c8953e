// @ts-check
// What is drawn in the chart: candles, a line, or several lines to compare.

import * as format from "../format.js";

/**
 * @typedef {import("../types.js").Candle} Candle
 * @typedef {import("../theme.js").Look} Look
 */

const LARGE = 900;
// Beside their colours: who cannot tell those apart follows the dashes.
const DASHES = ["solid", [7, 3], [2, 3], [9, 3, 2, 3]];

/** One symbol as candles: hollow ones rose, filled ones fell. @param {Candle[]} rows @param {Look} look @param {number} width in pixels */
export function candles(rows, look, width) {
  const data = rows.map(({ start, open, close, low, high }) => [start, open, close, low, high]);
  return {
    type: "candlestick", data, barWidth: width, large: true, largeThreshold: LARGE, clip: true,
    itemStyle: {
      color: look.panel, borderColor: look.up, color0: look.down, borderColor0: look.down,
      borderColorDoji: look.soft, borderWidth: 1.25,
    },
    markLine: last(rows, look),
  };
}

/** A single point is no line. @param {Candle[]} rows */
const dot = (rows) => ({ symbol: rows.length > 1 ? "none" : "circle", symbolSize: 6 });

/** One symbol as a line of what its candles closed at. @param {Candle[]} rows @param {Look} look */
export function line(rows, look) {
  return {
    type: "line", data: rows.map(({ start, close }) => [start, close]), ...dot(rows),
    sampling: "minmax", lineStyle: { color: look.accent, width: 1.75 }, itemStyle: { color: look.accent },
    areaStyle: { color: look.accent, opacity: 0.07, origin: "start" }, markLine: last(rows, look),
  };
}

/** Several symbols, each as per cent of what it opened at. @param {string[]} symbols @param {(symbol: string) => Candle[]} rows @param {Look} look */
export function comparison(symbols, rows, look) {
  return symbols.map((symbol, at) => {
    const all = rows(symbol);
    const open = all[0]?.open;
    const color = look.lines[at];
    return {
      type: "line", name: symbol, ...dot(all), sampling: "minmax",
      data: all.map(({ start, close }) => [start, 100 * (close / open - 1)]),
      lineStyle: { color, width: 1.75, type: DASHES[at % DASHES.length] },
      itemStyle: { color },
      endLabel: { show: true, formatter: symbol, color, fontSize: Number(look.size), distance: 4, fontWeight: 600 },
      labelLayout: { moveOverlap: "shiftY" },
    };
  });
}

/** The volume below, coloured as the candle above. @param {Candle[]} rows @param {Look} look @param {number} width in pixels */
export function volume(rows, look, width) {
  const bars = (/** @type {boolean} */ isUp) => ({
    type: "bar", xAxisIndex: 1, yAxisIndex: 1, barWidth: width, barGap: "-100%", large: true, largeThreshold: LARGE,
    itemStyle: { color: isUp ? look.up : look.down, opacity: isUp ? 0.45 : 0.8 },
    data: rows.filter(({ open, close }) => close >= open === isUp).map(({ start, volume }) => [start, volume]),
  });
  return [bars(true), bars(false)];
}

/** The volumes of several symbols on each other. @param {string[]} symbols @param {(symbol: string) => Candle[]} rows @param {Look} look @param {number} width */
export function volumes(symbols, rows, look, width) {
  /** @type {Map<number, number>} */
  const sums = new Map();
  for (const symbol of symbols) {
    for (const { start, volume: each } of rows(symbol)) sums.set(start, (sums.get(start) ?? 0) + each);
  }
  return [{
    type: "bar", xAxisIndex: 1, yAxisIndex: 1, barWidth: width, large: true, largeThreshold: LARGE,
    itemStyle: { color: look.soft, opacity: 0.6 }, data: [...sums],
  }];
}

/** The line of the newest price. @param {Candle[]} rows @param {Look} look */
function last(rows, look) {
  const row = rows[rows.length - 1];
  if (!row) return {};
  const color = row.close >= row.open ? look.up : look.down;
  return {
    symbol: "none", silent: true, data: [{ yAxis: row.close }], lineStyle: { color, type: "dotted", width: 1 },
    label: {
      formatter: format.price(row.close), position: "end", distance: 2, color: look.panel,
      backgroundColor: color, padding: [3, 5], fontSize: Number(look.size), borderRadius: 2,
    },
  };
}
