// @ts-check
// The panel of the chart: loads what the view asks for, keeps it live, says what is missing.

import { createChart } from "./chart.js";
import { createChartKeys } from "./keys.js";
import { find, say } from "../dom.js";
import { createHistory } from "./history.js";
import { createLegend } from "./legend.js";
import * as theme from "../theme.js";

const LIBRARY = "/assets/echarts.esm.min.js";
const MEND_MS = 15_000;
const LEAST_PAUSE_MS = 100;
// Drawing takes this share of the time at most: 1 in so many.
const SHARE = 6;
const AGAIN_MS = 5000;

/**
 * @param {ReturnType<typeof import("../live/market.js").createMarket>} market
 * @param {ReturnType<typeof import("../view.js").createView>} view
 * @param {ReturnType<typeof import("../frames.js").createFrames>} frames
 */
export function createChartPanel(market, view, frames) {
  const element = find("#chart");
  const note = find("#chart-note");
  const back = find("#chart-back");
  const legend = createLegend(find("#legend"));
  /** @type {ReturnType<typeof createChart> | null} */
  let chart = null;
  /** @type {ReturnType<typeof createHistory> | null} */
  let history = null;
  /** @type {ReturnType<typeof createHistory> | null} */
  let coming = null;
  let loading = new AbortController();
  let isDirty = false;
  let drawn = 0;
  let cost = 0;
  let timer = 0;
  /** @type {number | null} */
  let pointed = null;

  const dirty = () => {
    isDirty = true;
    frames.request();
  };
  const remark = (/** @type {string} */ text) => {
    say(note, text);
    note.hidden = text === "";
  };

  /** Load what the view asks for. */
  async function load() {
    const { symbols, interval, range } = view.get();
    loading.abort();
    loading = new AbortController();
    const { signal } = loading;
    if (!symbols.length) return;
    element.setAttribute("aria-busy", "true");
    const next = (coming = createHistory(symbols, interval, range));
    try {
      await next.start(market.newest(symbols), signal);
      if (signal.aborted) return;
      history = next;
      remark(next.symbols.some((symbol) => next.rows(symbol).length) ? "" : "No ticks in this range.");
      setTimeout(mend, 4000);
      dirty();
    } catch (error) {
      if (signal.aborted) return;
      remark(`No candles: ${error.message}`);
      setTimeout(() => coming === next && load(), AGAIN_MS);
    }
    element.removeAttribute("aria-busy");
  }

  async function mend() {
    if (document.hidden || !history) return;
    const { signal } = loading;
    await history.mend(signal).then(dirty, () => signal.aborted || setTimeout(mend, AGAIN_MS));
  }

  function paint(/** @type {number} */ now) {
    if (!isDirty || !chart || !history) return;
    const wait = drawn + Math.max(LEAST_PAUSE_MS, SHARE * cost) - now;
    if (wait > 0) {
      clearTimeout(timer);
      timer = setTimeout(frames.request, wait);
      return;
    }
    isDirty = false;
    const begun = performance.now();
    chart.draw(history, view.get().type === "candles");
    legend.show(history, pointed);
    cost = 0.7 * cost + 0.3 * (performance.now() - begun);
    drawn = now;
  }

  async function start() {
    const echarts = await import(LIBRARY).catch(() => null);
    if (!echarts) return remark(`The chart's library did not load from ${LIBRARY}.`);
    chart = createChart(echarts, element, {
      pointed(time) {
        pointed = time;
        if (history) legend.show(history, pointed);
      },
      zoomed: (follows, isWhole) => void (back.hidden = follows && isWhole),
    });
    new ResizeObserver(() => (chart?.resize(), dirty())).observe(element);
    createChartKeys(element, chart, () => history, find("#chart-said"), () => legend.text());
    dirty();
  }

  frames.add(paint);
  back.addEventListener("click", () => chart?.reset());
  theme.onChange(() => (chart?.recolor(), dirty()));
  setInterval(mend, MEND_MS);
  view.subscribe((now, before) => {
    const isOther = ["symbols", "interval", "range"].some((name) => String(now[name]) !== String(before[name]));
    if (isOther) load();
    else if (now.type !== before.type) dirty();
  });
  start();
  return {
    load,
    /** @param {import("../types.js").Tick} tick */
    take(tick) {
      if (coming && coming !== history) coming.take(tick);
      if (!history?.symbols.includes(tick.symbol)) return;
      history.take(tick);
      isDirty = true;
    },
    /** Ticks are missing. */
    break: () => (coming?.break(), history?.break()),
  };
}
