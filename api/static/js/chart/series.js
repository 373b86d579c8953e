// @ts-check
// The series of the chart: candles, a line, or several lines to compare.

import * as format from "../format.js";

/**
 * @typedef {import("../types.js").Candle} Candle
 * @typedef {import("../theme.js").Theme} Theme
 */

const LARGE = 900;
// Dashes, for those who cannot distinguish the colours.
const DASHES = ["solid", [7, 3], [2, 3], [9, 3, 2, 3]];

/** One symbol as candles: a hollow one rose, a filled one fell. @param {Candle[]} rows @param {Theme} theme @param {number} width in pixels */
export function candles(rows, theme, width) {
  const data = rows.map(({ start, open, close, low, high }) => [start, open, close, low, high]);
  return {
    type: "candlestick", data, barWidth: width, large: true, largeThreshold: LARGE, clip: true,
    itemStyle: {
      color: theme.panel, borderColor: theme.up, color0: theme.down, borderColor0: theme.down,
      borderColorDoji: theme.soft, borderWidth: 1.25,
    },
    markLine: last(rows, theme),
  };
}

/** A single point needs a symbol, for it makes no line. @param {Candle[]} rows */
const dot = (rows) => ({ symbol: rows.length > 1 ? "none" : "circle", symbolSize: 6 });

/** One symbol as a line of closing prices. @param {Candle[]} rows @param {Theme} theme */
export function line(rows, theme) {
  return {
    type: "line", data: rows.map(({ start, close }) => [start, close]), ...dot(rows),
    sampling: "minmax", lineStyle: { color: theme.accent, width: 1.75 }, itemStyle: { color: theme.accent },
    areaStyle: { color: theme.accent, opacity: 0.07, origin: "start" }, markLine: last(rows, theme),
  };
}

/** Several symbols, each in per cent of its first opening price. @param {string[]} symbols @param {(symbol: string) => Candle[]} rows @param {Theme} theme */
export function comparison(symbols, rows, theme) {
  return symbols.map((symbol, at) => {
    const all = rows(symbol);
    const open = all[0]?.open;
    const color = theme.lines[at];
    return {
      type: "line", name: symbol, ...dot(all), sampling: "minmax",
      data: all.map(({ start, close }) => [start, 100 * (close / open - 1)]),
      lineStyle: { color, width: 1.75, type: DASHES[at % DASHES.length] },
      itemStyle: { color },
      endLabel: { show: true, formatter: symbol, color, fontSize: Number(theme.size), distance: 4, fontWeight: 600 },
      labelLayout: { moveOverlap: "shiftY" },
    };
  });
}

/** The volume, in the colours of the candles. @param {Candle[]} rows @param {Theme} theme @param {number} width in pixels */
export function volume(rows, theme, width) {
  const bars = (/** @type {boolean} */ isUp) => ({
    type: "bar", xAxisIndex: 1, yAxisIndex: 1, barWidth: width, barGap: "-100%", large: true, largeThreshold: LARGE,
    itemStyle: { color: isUp ? theme.up : theme.down, opacity: isUp ? 0.45 : 0.8 },
    data: rows.filter(({ open, close }) => close >= open === isUp).map(({ start, volume }) => [start, volume]),
  });
  return [bars(true), bars(false)];
}

/** The volume of several symbols together. @param {string[]} symbols @param {(symbol: string) => Candle[]} rows @param {Theme} theme @param {number} width */
export function volumes(symbols, rows, theme, width) {
  /** @type {Map<number, number>} */
  const sums = new Map();
  for (const symbol of symbols) {
    for (const { start, volume: each } of rows(symbol)) sums.set(start, (sums.get(start) ?? 0) + each);
  }
  return [{
    type: "bar", xAxisIndex: 1, yAxisIndex: 1, barWidth: width, large: true, largeThreshold: LARGE,
    itemStyle: { color: theme.soft, opacity: 0.6 }, data: [...sums],
  }];
}

/** A mark above each candle in which an alert was complete; its message appears under the pointer.
 * @param {Candle[]} rows @param {import("../types.js").Alert[]} alerts @param {number} step @param {Theme} theme */
export function marks(rows, alerts, step, theme) {
  const highs = new Map(rows.map(({ start, high }) => [start, high]));
  /** @type {Map<number, string[]>} */
  const messages = new Map();
  for (const { ended_at, message } of alerts) {
    const start = Math.floor(Date.parse(ended_at) / step) * step;
    if (highs.has(start)) messages.set(start, [...(messages.get(start) ?? []), message]);
  }
  return {
    symbol: "triangle", symbolRotate: 180, symbolSize: 8, symbolOffset: [0, -8],
    itemStyle: { color: theme.warning }, label: { show: false },
    emphasis: {
      label: {
        show: true, position: "top", formatter: ({ name }) => name, color: theme.text, backgroundColor: theme.raised,
        padding: [4, 6], borderRadius: 2, fontSize: Number(theme.size),
      },
    },
    data: [...messages].map(([start, texts]) => ({ name: texts.join("\n"), coord: [start, highs.get(start)] })),
  };
}

/** The line of the newest price. @param {Candle[]} rows @param {Theme} theme */
function last(rows, theme) {
  const row = rows[rows.length - 1];
  if (!row) return {};
  const color = row.close >= row.open ? theme.up : theme.down;
  return {
    symbol: "none", silent: true, data: [{ yAxis: row.close }], lineStyle: { color, type: "dotted", width: 1 },
    label: {
      formatter: format.price(row.close), position: "end", distance: 2, color: theme.panel,
      backgroundColor: color, padding: [3, 5], fontSize: Number(theme.size), borderRadius: 2,
    },
  };
}
