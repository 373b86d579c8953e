// @ts-check
// Intervals and ranges in seconds, and which interval suits a range.

/** @type {Record<string, number>} */
export const SECONDS = {
  "1s": 1, "5s": 5, "15s": 15, "30s": 30, "1m": 60, "5m": 300, "15m": 900, "30m": 1800,
  "1h": 3600, "4h": 14400, "6h": 21600, "12h": 43200, "1d": 86400,
};
export const LABELS = {
  "5m": "5 min", "15m": "15 min", "1h": "1 h", "6h": "6 h", "1d": "1 day", all: "All",
};
// The intervals of /api/candles, the finest first.
const INTERVALS = ["1s", "5s", "15s", "30s", "1m", "5m", "15m", "30m", "1h", "4h", "12h", "1d"];
// More candles than pixels only take time.
const MAX_CANDLES = 4400;
const MAX_CANDLES_OF_ALL = 10_000;

/** The interval itself, or the finest that gives no more candles than can be drawn. @param {string} interval @param {number} seconds the range @param {number} symbols how many */
export function fitting(interval, seconds, symbols) {
  const most = Math.min(MAX_CANDLES, MAX_CANDLES_OF_ALL / Math.max(1, symbols));
  const candidates = INTERVALS.slice(INTERVALS.indexOf(interval));
  return candidates.find((each) => seconds / SECONDS[each] <= most) ?? "1d";
}
