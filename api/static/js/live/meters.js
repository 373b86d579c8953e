// @ts-check
// The page's own measurements: ticks per second, and the delay from event to screen.

const RATE_SECONDS = 5;
const DELAY_MS = 30_000;
const MAX_DELAYS = 4096;

/** Ticks per second, over the last seconds. */
export function createRate() {
  const buckets = new Float64Array(RATE_SECONDS + 1);
  let second = 0;
  let begun = 0;
  const move = (/** @type {number} */ now) => {
    const current = Math.floor(now / 1000);
    begun ||= current;
    for (; second < current; second++) {
      if (current - second > buckets.length) second = current - buckets.length;
      buckets[(second + 1) % buckets.length] = 0;
    }
  };
  return {
    /** @param {number} count @param {number} now */
    add(count, now) {
      move(now);
      buckets[second % buckets.length] += count;
    },
    /** The mean of the complete seconds; NaN before the first. @param {number} now */
    perSecond(now) {
      move(now);
      const whole = Math.min(RATE_SECONDS, second - begun);
      const sum = buckets.reduce((total, each) => total + each, 0) - buckets[second % buckets.length];
      return whole > 0 ? sum / whole : NaN;
    },
  };
}

/** The delays of the last half minute. */
export function createDelays() {
  const values = new Float64Array(MAX_DELAYS);
  const times = new Float64Array(MAX_DELAYS);
  let count = 0;
  return {
    /** @param {number} delay @param {number} now */
    add(delay, now) {
      values[count % MAX_DELAYS] = delay;
      times[count % MAX_DELAYS] = now;
      count++;
    },
    /** The p50 and p99, or null if there are none. @param {number} now */
    quantiles(now) {
      const size = Math.min(count, MAX_DELAYS);
      const fresh = values.slice(0, size).filter((_, at) => now - times[at] < DELAY_MS).sort();
      if (!fresh.length) return null;
      const at = (/** @type {number} */ share) => fresh[Math.ceil(share * fresh.length) - 1];
      return { p50: at(0.5), p99: at(0.99) };
    },
  };
}
