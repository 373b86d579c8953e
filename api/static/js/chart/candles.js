// @ts-check
// The candles of one symbol: those the API made, and the open one as its ticks come.

/**
 * @typedef {import("../types.js").Candle} Candle
 * @typedef {import("../types.js").Tick} Tick
 */

/** A row of /api/candles. @param {any} row @param {number} step @returns {Candle} */
export function candle(row, step) {
  const start = Date.parse(row.start);
  const { open, high, low, close } = row;
  // When its first and last tick came is not said; those that are applied to it come later.
  return { start, open, high, low, close, volume: Number(row.volume), first: start, last: start };
}

/** @param {number} step how long one takes, in milliseconds @param {number} most how many to keep */
export function createCandles(step, most) {
  /** @type {Candle[]} in the order of time */
  let rows = [];

  /** Where a start stands, or belongs. @param {number} start */
  function place(start) {
    let at = rows.length;
    while (at > 0 && rows[at - 1].start >= start) at--;
    return at;
  }

  return {
    rows: () => rows,
    newest: () => rows[rows.length - 1],
    /** Put these, in the order of time, in the place of all from their first on. @param {Candle[]} found */
    replace(found) {
      if (!found.length) return;
      rows.length = place(found[0].start);
      for (const row of found) rows.push(row);
    },
    /** @param {Tick} tick */
    apply({ time, price, volume }) {
      const start = Math.floor(time / step) * step;
      const at = place(start);
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

/** The candle at a moment, or the last before it. @param {Candle[]} rows @param {number} time */
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
