// @ts-check
// The candles of the selected symbols: loaded, updated by ticks, and loaded again now and then.

import { address, json, rows as fetchRows } from "../api.js";
import { candle, createCandles } from "./candles.js";
import { fitting, SECONDS } from "../intervals.js";

/** @typedef {import("../types.js").Tick} Tick */

const PAGE = 10_000;
const MAX_PAGES = 3;
// Five minutes in candles of an hour would be a single candle.
const MIN_CANDLES = 40;
// Nearly all ticks are stored by then: the API has those that are older.
const SETTLED_MS = 2000;
const KEPT_MS = 12_000;
const MAX_KEPT = 20_000;

/**
 * Candles of some symbols over a range.
 * @param {string[]} symbols @param {string} interval the requested one @param {string} range
 */
export function createHistory(symbols, interval, range) {
  let used = interval;
  let step = SECONDS[interval] * 1000;
  let begin = 0;
  /** @type {Map<string, ReturnType<typeof createCandles>>} */
  const all = new Map();
  /** @type {Tick[]} ticks that may be missing in an answer */
  let kept = [];
  let newest = 0;
  // The time from which on `kept` has every tick.
  let since = Infinity;
  let isStale = false;
  // The time from which on ticks may be missing or counted twice.
  let brokenSince = Infinity;

  /** Load the candles from a time on, and add the ticks that the answer does not have. @param {number} from @param {AbortSignal} signal */
  async function load(from, signal) {
    const settled = newest - SETTLED_MS;
    const isExact = since <= settled;
    // A tick that is stored meanwhile may be in the answer and also arrive in the stream.
    if (!isExact) brokenSince = Math.min(brokenSince, newest);
    const params = {
      symbols, interval: used, limit: PAGE,
      from: from > 0 ? new Date(from).toISOString() : undefined,
      to: isExact ? new Date(settled).toISOString() : undefined,
    };
    const rows = await pages(params, signal);
    for (const symbol of symbols) {
      const candles = all.get(symbol);
      candles?.replace(rows.filter((row) => row.symbol === symbol).reverse().map((row) => candle(row, step)));
    }
    if (isExact) for (const tick of kept) if (tick.time >= settled) all.get(tick.symbol)?.apply(tick);
  }

  return {
    symbols,
    step: () => step,
    requested: interval,
    interval: () => used,
    begin: () => begin,
    /** @param {string} symbol */
    rows: (symbol) => all.get(symbol)?.rows() ?? [],
    end: () => Math.max(...symbols.map((symbol) => (all.get(symbol)?.newest()?.start ?? -step) + step)),

    /** Load the whole range, which ends at `newestTick`. @param {number} newestTick @param {AbortSignal} signal */
    async start(newestTick, signal) {
      newest = Math.max(newest, newestTick);
      const length = range === "all" ? await age(symbols, newest, signal) : SECONDS[range];
      const seconds = Math.max(length, MIN_CANDLES * SECONDS[interval]);
      used = fitting(interval, seconds, symbols.length);
      step = SECONDS[used] * 1000;
      const most = Math.ceil((seconds * 1000) / step) + 1;
      for (const symbol of symbols) all.set(symbol, createCandles(step, most));
      begin = Math.floor((newest - seconds * 1000) / step) * step;
      await load(begin, signal);
    },

    /** Load the candles again that may still change. @param {AbortSignal} signal */
    async refresh(signal) {
      if (!isStale) return;
      isStale = false;
      const from = Math.min(newest, brokenSince);
      brokenSince = Infinity;
      try {
        await load(Math.floor((from - SETTLED_MS) / step - 1) * step, signal);
      } catch (error) {
        [isStale, brokenSince] = [true, Math.min(from, brokenSince)];
        throw error;
      }
    },

    /** @param {Tick} tick */
    add(tick) {
      if (!symbols.includes(tick.symbol)) return;
      newest = Math.max(newest, tick.time);
      if (since === Infinity) since = tick.time;
      kept.push(tick);
      if (kept.length > MAX_KEPT || (kept.length % 256 === 0 && kept[0].time < newest - 2 * KEPT_MS)) {
        kept = kept.slice(-MAX_KEPT / 2).filter((each) => each.time >= newest - KEPT_MS);
        since = kept[0]?.time ?? Infinity;
      }
      all.get(tick.symbol)?.apply(tick);
      isStale = true;
    },
    /** Note that ticks are missing from here on. */
    noteGap() {
      brokenSince = Math.min(brokenSince, newest);
      kept = [];
      since = Infinity;
      isStale = true;
    },
  };
}

/** @param {Record<string, any>} params @param {AbortSignal} signal */
async function pages(params, signal) {
  const rows = [];
  let cursor;
  for (let page = 0; page < MAX_PAGES && cursor !== null; page++) {
    const answer = await json(address("/api/candles", { ...params, cursor }), { signal });
    rows.push(...answer.data);
    cursor = answer.next;
  }
  return rows;
}

/** The age of the first tick of these symbols, in seconds. @param {string[]} symbols @param {number} newest @param {AbortSignal} signal */
async function age(symbols, newest, signal) {
  const known = await fetchRows("symbols", {}, signal);
  const firsts = known.filter((row) => symbols.includes(row.symbol)).map((row) => Date.parse(row.first_tick));
  return Math.max(60, (newest - Math.min(newest, ...firsts)) / 1000);
}
