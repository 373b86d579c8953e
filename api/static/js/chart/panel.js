// @ts-check
// The panel of the chart: loads the candles of the view, keeps them live, and reports errors.

import { createChart } from "./chart.js";
import { createChartKeys } from "./keys.js";
import { find, setText } from "../dom.js";
import { createHistory } from "./history.js";
import { createLegend } from "./legend.js";
import * as theme from "../theme.js";

const LIBRARY = "/assets/echarts.esm.min.js";
const REFRESH_MS = 15_000;
const MIN_PAUSE_MS = 100;
// Drawing takes at most one part in so many of the time.
const SHARE = 6;
const RETRY_MS = 5000;

/**
 * @param {ReturnType<typeof import("../live/market.js").createMarket>} market
 * @param {ReturnType<typeof import("../view.js").createView>} view
 * @param {ReturnType<typeof import("../frames.js").createFrames>} frames
 * @param {ReturnType<typeof import("../alerts/alerts.js").createAlerts>} alerts
 */
export function createChartPanel(market, view, frames, alerts) {
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

  const invalidate = () => {
    isDirty = true;
    frames.request();
  };
  const showNote = (/** @type {string} */ text) => {
    setText(note, text);
    note.hidden = text === "";
  };

  /** Load the candles of the view. */
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
      showNote(next.symbols.some((symbol) => next.rows(symbol).length) ? "" : "No ticks in this range.");
      if (symbols.length === 1) alerts.load(symbols, next.begin());
      setTimeout(refresh, 4000);
      invalidate();
    } catch (error) {
      if (signal.aborted) return;
      showNote(`The candles did not load: ${error.message}`);
      setTimeout(() => coming === next && load(), RETRY_MS);
    }
    element.removeAttribute("aria-busy");
  }

  async function refresh() {
    if (document.hidden || !history) return;
    const { signal } = loading;
    await history.refresh(signal).then(invalidate, () => signal.aborted || setTimeout(refresh, RETRY_MS));
  }

  function paint(/** @type {number} */ now) {
    if (!isDirty || !chart || !history) return;
    const wait = drawn + Math.max(MIN_PAUSE_MS, SHARE * cost) - now;
    if (wait > 0) {
      clearTimeout(timer);
      timer = setTimeout(frames.request, wait);
      return;
    }
    isDirty = false;
    const begun = performance.now();
    chart.draw(history, view.get().type === "candles", alerts.of(history.symbols[0]));
    legend.show(history, pointed);
    cost = 0.7 * cost + 0.3 * (performance.now() - begun);
    drawn = now;
  }

  async function start() {
    const echarts = await import(LIBRARY).catch(() => null);
    if (!echarts) return showNote(`The chart's library did not load from ${LIBRARY}.`);
    chart = createChart(echarts, element, {
      pointed(time) {
        pointed = time;
        if (history) legend.show(history, pointed);
      },
      zoomed: (follows, isWhole) => void (back.hidden = follows && isWhole),
    });
    new ResizeObserver(() => (chart?.resize(), invalidate())).observe(element);
    createChartKeys(element, chart, () => history, find("#chart-announcement"), () => legend.text());
    invalidate();
  }

  frames.add(paint);
  back.addEventListener("click", () => chart?.reset());
  theme.onChange(() => (chart?.recolor(), invalidate()));
  setInterval(refresh, REFRESH_MS);
  view.subscribe((now, before) => {
    const isOther = ["symbols", "interval", "range"].some((name) => String(now[name]) !== String(before[name]));
    if (isOther) load();
    else if (now.type !== before.type) invalidate();
  });
  start();
  return {
    load,
    invalidate,
    /** @param {import("../types.js").Tick} tick */
    add(tick) {
      if (coming && coming !== history) coming.add(tick);
      if (!history?.symbols.includes(tick.symbol)) return;
      history.add(tick);
      isDirty = true;
    },
    /** Note that ticks are missing. */
    noteGap: () => (coming?.noteGap(), history?.noteGap()),
  };
}
