// @ts-check
// The candles of one symbol: from the API, and updated by each tick.

/**
 * @typedef {import("../types.js").Candle} Candle
 * @typedef {import("../types.js").Tick} Tick
 */

/** A row of /api/candles. @param {any} row @param {number} step @returns {Candle} */
export function candle(row, step) {
  const start = Date.parse(row.start);
  const { open, high, low, close } = row;
  // The API does not report the times of its first and last tick; ticks that are applied to it are later.
  return { start, open, high, low, close, volume: Number(row.volume), first: start, last: start };
}

/** @param {number} step the length of a candle, in milliseconds @param {number} most how many to keep */
export function createCandles(step, most) {
  /** @type {Candle[]} in the order of time */
  let rows = [];

  /** The index of the candle with this start, or where it belongs. @param {number} start */
  function indexOf(start) {
    let at = rows.length;
    while (at > 0 && rows[at - 1].start >= start) at--;
    return at;
  }

  return {
    rows: () => rows,
    newest: () => rows[rows.length - 1],
    /** Replace all candles from the first of these on; they are in the order of time. @param {Candle[]} candles */
    replace(candles) {
      if (!candles.length) return;
      rows.length = indexOf(candles[0].start);
      for (const row of candles) rows.push(row);
    },
    /** @param {Tick} tick */
    apply({ time, price, volume }) {
      const start = Math.floor(time / step) * step;
      const at = indexOf(start);
      const row = rows[at];
      if (row?.start !== start) {
        rows.splice(at, 0, { start, open: price, high: price, low: price, close: price, volume, first: time, last: time });
        if (rows.length > 1.2 * most + 100) rows = rows.slice(-most);
        return;
      }
      row.high = Math.max(row.high, price);
      row.low = Math.min(row.low, price);
      row.volume += volume;
      if (time >= row.last) [row.close, row.last] = [price, time];
      if (time < row.first) [row.open, row.first] = [price, time];
    },
  };
}

/** The candle at a time, or the last one before it. @param {Candle[]} rows @param {number} time */
export function candleAt(rows, time) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].start <= time) low = middle + 1;
    else high = middle;
  }
  return rows[low - 1];
}
