// @ts-check
// The quote of every symbol: from the API, and from each tick since.

/**
 * @typedef {import("../types.js").Row} Row
 * @typedef {import("../types.js").Tick} Tick
 * @typedef {import("../types.js").Quote} Quote
 */

/** @param {string} timestamp */
const day = (timestamp) => timestamp.slice(0, 10);

/** Compares timestamps; equal ones keep their order. @param {{timestamp: string}} a @param {{timestamp: string}} b */
export const byTime = (a, b) => (a.timestamp < b.timestamp ? -1 : Number(a.timestamp > b.timestamp));

export function createMarket() {
  /** @type {Map<string, Quote>} */
  const quotes = new Map();
  let newest = 0;

  /** @param {{symbol: string, price: number, volume: number, timestamp: string}} row @returns {Quote} */
  const blank = ({ symbol, price, volume, timestamp }) => ({
    symbol, price, volume, timestamp, time: Date.parse(timestamp), move: 0, moves: 0,
    open: NaN, low: NaN, high: NaN,
  });

  /** Apply rows of /api/latest; newer ticks stay. @param {any[]} rows */
  function load(rows) {
    for (const row of rows) {
      const known = quotes.get(row.symbol);
      const isSameDay = known && day(known.timestamp) === day(row.timestamp);
      if (known && !isSameDay && known.timestamp > row.timestamp) continue;
      const quote = blank(known && known.timestamp > row.timestamp ? known : row);
      quote.open = row.open ?? row.price - row.change;
      quote.low = Math.min(row.low ?? NaN, (isSameDay && known.low) || row.price);
      quote.high = Math.max(row.high ?? NaN, (isSameDay && known.high) || row.price);
      quote.move = known?.move ?? 0;
      quote.moves = known?.moves ?? 0;
      quotes.set(row.symbol, quote);
      newest = Math.max(newest, quote.time);
    }
  }

  /** @param {Row} row @returns {Tick} */
  function apply(row) {
    let quote = quotes.get(row.symbol);
    const time = Date.parse(row.timestamp);
    newest = Math.max(newest, time);
    const isNewDay = !quote || day(row.timestamp) > day(quote.timestamp);
    if (!quote || isNewDay) {
      const { moves = 0 } = quote ?? {};
      quote = { ...blank(row), open: row.price, low: row.price, high: row.price, moves: moves + 1 };
      quotes.set(row.symbol, quote);
      return { ...row, time, move: 0 };
    }
    const move = Math.sign(row.price - quote.price);
    if (day(row.timestamp) === day(quote.timestamp)) {
      quote.low = Math.min(quote.low, row.price);
      quote.high = Math.max(quote.high, row.price);
    }
    // A late tick does not change the price.
    if (row.timestamp >= quote.timestamp) {
      const { price, volume, timestamp } = row;
      Object.assign(quote, { price, volume, timestamp, time, move: move || quote.move });
      quote.moves++;
    }
    return { ...row, time, move };
  }

  return {
    load,
    apply,
    /** @param {string} symbol */
    get: (symbol) => quotes.get(symbol),
    symbols: () => [...quotes.keys()].sort(),
    has: (/** @type {string} */ symbol) => quotes.has(symbol),
    /** The symbol of a text, which may be in small letters. @param {string} text */
    named: (text) => [text, text.toUpperCase()].find((each) => quotes.has(each)),
    size: () => quotes.size,
    /** The timestamp of the newest tick of these symbols; of all symbols if none is named. @param {string[]} [symbols] */
    newest(symbols = []) {
      const times = symbols.map((symbol) => quotes.get(symbol)?.time ?? 0);
      return Math.max(0, ...times) || newest;
    },
  };
}
