// @ts-check
// The chart on its canvas: its series, its visible range and its crosshair.

import { frame, INSIDE } from "./frame.js";
import * as series from "./series.js";
import * as format from "../format.js";
import { readTheme } from "../theme.js";
import * as zoom from "./zoom.js";

/** @typedef {ReturnType<typeof import("./history.js").createHistory>} History */
/** @typedef {import("../types.js").Alert} Alert */

const MIN_CANDLES = 12;
const MAX_BAR_WIDTH = 20;
const ROOM = 0.015;
// The width of a symbol's name and of half a time, and the height of the newest price and a label, in font sizes.
const NAME = 5;
const HALF_TIME = 2.4;
const TAG = 1.4;

/**
 * @param {any} echarts @param {HTMLElement} element
 * @param {{zoomed: (follows: boolean, isWhole: boolean) => void, pointed: (time: number | null) => void}} handlers
 */
export function createChart(echarts, element, handlers) {
  const chart = echarts.init(element, null, { renderer: "canvas" });
  let colors = readTheme();
  /** @type {History | null} */
  let shown = null;
  /** @type {zoom.Window} */
  let all = { left: 0, right: 1 };
  let window = all;
  let isFollowing = true;
  let isFull = true;
  let kind = "";

  /** @param {History} history @param {boolean} isCandles @param {Alert[]} alerts of its first symbol */
  function draw(history, isCandles, alerts) {
    const first = Math.min(...history.symbols.map((symbol) => history.rows(symbol)[0]?.start ?? Infinity));
    const before = all;
    // The names stand after the ends of the lines.
    const room = history.symbols.length > 1 ? (NAME * Number(colors.size)) / chart.getWidth() : ROOM;
    all = zoom.whole({ begin: history.begin(), end: history.end(), first, step: history.step(), room });
    if (history !== shown) [isFollowing, isFull] = [true, true];
    shown = history;
    window = isFull ? all : zoom.moved(window, all, isFollowing);
    const drawn = history.symbols.length > 1 ? "comparison" : isCandles ? "candles" : "line";
    const options = { ...base(history, drawn), series: list(history, drawn, alerts) };
    // Merging is cheaper, but would keep parts of another kind of chart.
    chart.setOption(options, { notMerge: kind !== drawn + history.symbols, lazyUpdate: false });
    kind = drawn + history.symbols;
    if (before.right !== all.right) notify();
  }

  /** @param {History} history @param {string} drawn */
  function base(history, drawn) {
    const isCompared = drawn === "comparison";
    const value = isCompared ? format.percent : format.price;
    const rows = isCompared ? [] : history.rows(history.symbols[0]);
    const newest = rows[rows.length - 1]?.close ?? NaN;
    const pixel = (/** @type {number} */ at) => chart.convertToPixel({ yAxisIndex: 0 }, at);
    const isCovered = (/** @type {number} */ at) => Math.abs(pixel(at) - pixel(newest)) < TAG * Number(colors.size);
    const isCut = (/** @type {number} */ at) =>
      chart.convertToPixel({ xAxisIndex: 0 }, at) < HALF_TIME * Number(colors.size);
    const scale = {
      begin: all.left, end: all.right, step: history.step(), ...window, height: chart.getHeight(), value, isCovered, isCut,
    };
    return frame(colors, scale);
  }

  /** @param {History} history @param {string} drawn @param {Alert[]} alerts */
  function list(history, drawn, alerts) {
    const [symbol] = history.symbols;
    const width = barWidth(history.step());
    if (drawn === "comparison") {
      return [
        ...series.comparison(history.symbols, history.rows, colors),
        ...series.volumes(history.symbols, history.rows, colors, width),
      ];
    }
    const rows = history.rows(symbol);
    const prices = drawn === "candles" ? series.candles(rows, colors, width) : series.line(rows, colors);
    const marked = { ...prices, markPoint: series.marks(rows, alerts, history.step(), colors) };
    return [marked, ...series.volume(rows, colors, width)];
  }

  /** @param {number} step */
  function barWidth(step) {
    const pixels = (chart.getWidth() - 8 - Number(colors.size) * 6.6) * (step / (window.right - window.left));
    return Math.max(1, Math.min(MAX_BAR_WIDTH, Math.floor(pixels * 0.7)));
  }

  const notify = () => handlers.zoomed(isFollowing, isFull);

  /** @param {zoom.Window} to */
  function showWindow(to) {
    window = to;
    chart.dispatchAction({ type: "dataZoom", startValue: to.left, endValue: to.right });
  }

  chart.on("datazoom", () => {
    const { startValue: left, endValue: right } = chart.getOption().dataZoom.find(({ id }) => id === INSIDE);
    if (!shown) return;
    window = { left, right };
    isFollowing = zoom.follows(window, all, shown.step());
    isFull = zoom.isWhole(window, all);
    notify();
  });
  chart.on("updateAxisPointer", (event) => {
    const axis = event.axesInfo?.find(({ axisDim }) => axisDim === "x");
    handlers.pointed(axis ? axis.value : null);
  });
  chart.getZr().on("globalout", () => handlers.pointed(null));

  return {
    draw,
    window: () => window,
    recolor: () => void (colors = readTheme()),
    resize: () => chart.resize(),
    clear: () => (chart.clear(), (shown = null), (kind = "")),
    /** Show the whole range, and follow the newest tick. */
    reset() {
      [isFollowing, isFull] = [true, true];
      showWindow(all);
    },
    /** @param {number} factor */
    zoom: (factor) => shown && showWindow(zoom.zoomed(window, all, factor, MIN_CANDLES * shown.step())),
    /** Put the crosshair at a time. @param {number} time @param {number} value */
    point(time, value) {
      const [x, y] = chart.convertToPixel({ xAxisIndex: 0, yAxisIndex: 0 }, [time, value]);
      chart.dispatchAction({ type: "showTip", x, y });
    },
    unpoint: () => chart.dispatchAction({ type: "updateAxisPointer", currTrigger: "leave" }),
  };
}
