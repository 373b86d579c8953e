// @ts-check
// Where the prices came from: a few points of each symbol's day, for its sparkline.

import { rows } from "../api.js";

const MOST_ASKED = 20;
const POINTS = 120;
const MOST_POINTS = 240;
const FRESH_MS = 300_000;
const AGAIN_MS = 10_000;

/** @typedef {{times: number[], prices: number[], loaded: number, from: string}} Trail */

/** @param {ReturnType<typeof import("../live/market.js").createMarket>} market @param {(symbols: string[]) => void} changed */
export function createTrails(market, changed) {
  /** @type {Map<string, Trail>} */
  const trails = new Map();
  /** @type {Set<string>} */
  const wanted = new Set();
  let isAsking = false;

  async function ask() {
    if (isAsking) return;
    isAsking = true;
    // Cards that scroll past are gone by then.
    await new Promise((resolve) => setTimeout(resolve, 60));
    while (wanted.size) {
      const first = [...wanted];
      const from = dayOf(first[0]);
      const symbols = first.filter((symbol) => dayOf(symbol) === from).slice(0, MOST_ASKED);
      for (const symbol of symbols) wanted.delete(symbol);
      await load(symbols, from);
      changed(symbols);
    }
    isAsking = false;
  }

  /** @param {string[]} symbols @param {string} from */
  async function load(symbols, from) {
    // What could not be loaded is asked for again, only not at once.
    const again = performance.now() - FRESH_MS + AGAIN_MS;
    for (const symbol of symbols) trails.set(symbol, { ...blank(from), ...trails.get(symbol), loaded: again });
    try {
      const points = await rows("history", { symbols, from, points: POINTS });
      for (const symbol of symbols) trails.set(symbol, { ...blank(from), loaded: performance.now() });
      for (const { symbol, timestamp, price } of points) push(symbol, Date.parse(timestamp), price);
    } catch {
      // The strip says what is wrong.
    }
  }

  /** @param {string} from @returns {Trail} */
  const blank = (from) => ({ times: [], prices: [], loaded: 0, from });
  const dayOf = (/** @type {string} */ symbol) => `${(market.get(symbol)?.timestamp ?? "").slice(0, 10)}T00:00:00Z`;

  /** @param {string} symbol @param {number} time @param {number} price */
  function push(symbol, time, price) {
    const trail = trails.get(symbol);
    if (!trail) return;
    const { times, prices } = trail;
    const last = times.length - 1;
    const step = (times[last] - times[0]) / POINTS;
    // The last point moves until it is a step away from the one before.
    if (last > 0 && times[last] - times[last - 1] < step) times.length = prices.length = last;
    times.push(time);
    prices.push(price);
    if (times.length > MOST_POINTS) {
      trail.times = times.filter((_, at) => at % 2 === 0 || at > MOST_POINTS - 2);
      trail.prices = prices.filter((_, at) => at % 2 === 0 || at > MOST_POINTS - 2);
    }
  }

  return {
    /** The trail of a symbol, with its price now; asks for what it has not. @param {string} symbol */
    get(symbol) {
      const trail = trails.get(symbol);
      const isOld = !trail || trail.from !== dayOf(symbol) || performance.now() - trail.loaded > FRESH_MS;
      if (isOld && market.has(symbol)) {
        wanted.add(symbol);
        ask();
      }
      const quote = market.get(symbol);
      if (trail?.times.length && quote && quote.time > trail.times[trail.times.length - 1]) {
        push(symbol, quote.time, quote.price);
      }
      return trails.get(symbol);
    },
    /** Ask anew for all, as after a gap. */
    forget: () => trails.clear(),
  };
}
