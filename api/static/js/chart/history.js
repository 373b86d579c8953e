// @ts-check
// The candles of the chosen symbols: loaded, kept up by ticks, and made right again now and then.

import { address, json, rows as ask } from "../api.js";
import { candle, createCandles } from "./candles.js";
import { fitting, SECONDS } from "../intervals.js";

/** @typedef {import("../types.js").Tick} Tick */

const PAGE = 10_000;
const MOST_PAGES = 3;
// Five minutes in candles of an hour are no chart.
const LEAST_CANDLES = 40;
// A tick is stored so long after it happened, nearly always: what is older the API knows.
const SETTLED_MS = 2000;
const KEPT_MS = 12_000;
const MOST_KEPT = 20_000;

/**
 * Candles of some symbols over a range.
 * @param {string[]} symbols @param {string} interval what is wished @param {string} range
 */
export function createHistory(symbols, interval, range) {
  let used = interval;
  let step = SECONDS[interval] * 1000;
  let begin = 0;
  /** @type {Map<string, ReturnType<typeof createCandles>>} */
  const all = new Map();
  /** @type {Tick[]} ticks that an answer may not hold yet */
  let kept = [];
  let newest = 0;
  // From when on `kept` has every tick.
  let since = Infinity;
  let isBehind = false;
  // From when on ticks may be missing, or counted twice.
  let broken = Infinity;

  /** Ask for candles from a moment on, and add the ticks that the answer lacks. @param {number} from @param {AbortSignal} signal */
  async function load(from, signal) {
    const settled = newest - SETTLED_MS;
    const isExact = since <= settled;
    // What is stored meanwhile may be in the answer and come as a tick, too.
    if (!isExact) broken = Math.min(broken, newest);
    const params = {
      symbols, interval: used, limit: PAGE,
      from: from > 0 ? new Date(from).toISOString() : undefined,
      to: isExact ? new Date(settled).toISOString() : undefined,
    };
    const found = await pages(params, signal);
    for (const symbol of symbols) {
      const candles = all.get(symbol);
      candles?.replace(found.filter((row) => row.symbol === symbol).reverse().map((row) => candle(row, step)));
    }
    if (isExact) for (const tick of kept) if (tick.time >= settled) all.get(tick.symbol)?.apply(tick);
  }

  return {
    symbols,
    step: () => step,
    wished: interval,
    interval: () => used,
    begin: () => begin,
    /** @param {string} symbol */
    rows: (symbol) => all.get(symbol)?.rows() ?? [],
    end: () => Math.max(...symbols.map((symbol) => (all.get(symbol)?.newest()?.start ?? -step) + step)),

    /** Load it all; `newestTick` is where the range ends. @param {number} newestTick @param {AbortSignal} signal */
    async start(newestTick, signal) {
      newest = Math.max(newest, newestTick);
      const wished = range === "all" ? await age(symbols, newest, signal) : SECONDS[range];
      const seconds = Math.max(wished, LEAST_CANDLES * SECONDS[interval]);
      used = fitting(interval, seconds, symbols.length);
      step = SECONDS[used] * 1000;
      const most = Math.ceil((seconds * 1000) / step) + 1;
      for (const symbol of symbols) all.set(symbol, createCandles(step, most));
      begin = Math.floor((newest - seconds * 1000) / step) * step;
      await load(begin, signal);
    },

    /** Ask again for the candles that may still change. @param {AbortSignal} signal */
    async mend(signal) {
      if (!isBehind) return;
      isBehind = false;
      const from = Math.min(newest, broken);
      broken = Infinity;
      try {
        await load(Math.floor((from - SETTLED_MS) / step - 1) * step, signal);
      } catch (error) {
        [isBehind, broken] = [true, Math.min(from, broken)];
        throw error;
      }
    },

    /** @param {Tick} tick */
    take(tick) {
      if (!symbols.includes(tick.symbol)) return;
      newest = Math.max(newest, tick.time);
      if (since === Infinity) since = tick.time;
      kept.push(tick);
      if (kept.length > MOST_KEPT || (kept.length % 256 === 0 && kept[0].time < newest - 2 * KEPT_MS)) {
        kept = kept.slice(-MOST_KEPT / 2).filter((each) => each.time >= newest - KEPT_MS);
        since = kept[0]?.time ?? Infinity;
      }
      all.get(tick.symbol)?.apply(tick);
      isBehind = true;
    },
    /** Ticks are missing here. */
    break() {
      broken = Math.min(broken, newest);
      kept = [];
      since = Infinity;
      isBehind = true;
    },
  };
}

/** @param {Record<string, any>} params @param {AbortSignal} signal */
async function pages(params, signal) {
  const found = [];
  let cursor;
  for (let page = 0; page < MOST_PAGES && cursor !== null; page++) {
    const answer = await json(address("/api/candles", { ...params, cursor }), { signal });
    found.push(...answer.data);
    cursor = answer.next;
  }
  return found;
}

/** How long ago the first tick of these was, in seconds. @param {string[]} symbols @param {number} newest @param {AbortSignal} signal */
async function age(symbols, newest, signal) {
  const known = await ask("symbols", {}, signal);
  const firsts = known.filter((row) => symbols.includes(row.symbol)).map((row) => Date.parse(row.first_tick));
  return Math.max(60, (newest - Math.min(newest, ...firsts)) / 1000);
}
