// @ts-check
// The sparkline of each symbol: a few of the day's prices.

import { rows } from "../api.js";

const MAX_REQUESTED = 20;
const POINTS = 120;
const MAX_POINTS = 240;
const FRESH_MS = 300_000;
const RETRY_MS = 10_000;

/** @typedef {{times: number[], prices: number[], loaded: number, from: string}} Sparkline */

/** @param {ReturnType<typeof import("../live/market.js").createMarket>} market @param {(symbols: string[]) => void} changed */
export function createSparklines(market, changed) {
  /** @type {Map<string, Sparkline>} */
  const sparklines = new Map();
  /** @type {Set<string>} */
  const wanted = new Set();
  let isLoading = false;

  async function loadWanted() {
    if (isLoading) return;
    isLoading = true;
    // By then cards that only scrolled past are off the screen.
    await new Promise((resolve) => setTimeout(resolve, 60));
    while (wanted.size) {
      const first = [...wanted];
      const from = dayOf(first[0]);
      const symbols = first.filter((symbol) => dayOf(symbol) === from).slice(0, MAX_REQUESTED);
      for (const symbol of symbols) wanted.delete(symbol);
      await load(symbols, from);
      changed(symbols);
    }
    isLoading = false;
  }

  /** @param {string[]} symbols @param {string} from */
  async function load(symbols, from) {
    // If loading fails, it is tried again, but not at once.
    const retryAt = performance.now() - FRESH_MS + RETRY_MS;
    for (const symbol of symbols) sparklines.set(symbol, { ...blank(from), ...sparklines.get(symbol), loaded: retryAt });
    try {
      const points = await rows("history", { symbols, from, points: POINTS });
      for (const symbol of symbols) sparklines.set(symbol, { ...blank(from), loaded: performance.now() });
      for (const { symbol, timestamp, price } of points) push(symbol, Date.parse(timestamp), price);
    } catch {
      // The strip shows the reason.
    }
  }

  /** @param {string} from @returns {Sparkline} */
  const blank = (from) => ({ times: [], prices: [], loaded: 0, from });
  const dayOf = (/** @type {string} */ symbol) => `${(market.get(symbol)?.timestamp ?? "").slice(0, 10)}T00:00:00Z`;

  /** @param {string} symbol @param {number} time @param {number} price */
  function push(symbol, time, price) {
    const sparkline = sparklines.get(symbol);
    if (!sparkline) return;
    const { times, prices } = sparkline;
    const last = times.length - 1;
    const step = (times[last] - times[0]) / POINTS;
    // The last point moves until it is one step after the point before it.
    if (last > 0 && times[last] - times[last - 1] < step) times.length = prices.length = last;
    times.push(time);
    prices.push(price);
    if (times.length > MAX_POINTS) {
      sparkline.times = times.filter((_, at) => at % 2 === 0 || at > MAX_POINTS - 2);
      sparkline.prices = prices.filter((_, at) => at % 2 === 0 || at > MAX_POINTS - 2);
    }
  }

  return {
    /** The sparkline of a symbol up to its current price; loads it if it is missing or old. @param {string} symbol */
    get(symbol) {
      const sparkline = sparklines.get(symbol);
      const isOld = !sparkline || sparkline.from !== dayOf(symbol) || performance.now() - sparkline.loaded > FRESH_MS;
      if (isOld && market.has(symbol)) {
        wanted.add(symbol);
        loadWanted();
      }
      const quote = market.get(symbol);
      if (sparkline?.times.length && quote && quote.time > sparkline.times[sparkline.times.length - 1]) {
        push(symbol, quote.time, quote.price);
      }
      return sparklines.get(symbol);
    },
    /** Load all again, as after a gap. */
    clear: () => sparklines.clear(),
  };
}
