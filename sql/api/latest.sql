-- One row per symbol: its newest tick, and how far the price has moved since the first tick of that day (UTC).
-- @param symbols = [] [..100] /${TICKS_SYMBOL_PATTERN}/: Only these; without any, all.
SELECT
    symbol,
    -- Not last.price: that reads a subcolumn of the tuple alone, of which FINAL keeps any row's.
    tupleElement(last, 'price') AS price,
    tupleElement(last, 'volume') AS volume,
    tupleElement(last, 'timestamp') AS timestamp,
    tupleElement(first, 'price') AS open,
    -tupleElement(low, 'minus_price') AS low,
    tupleElement(high, 'price') AS high,
    -- Rounded, because the difference of two binary fractions is not exact in decimals.
    round(price - open, 6) AS change,
    round(100 * (price - open) / open, 4) AS change_percent
-- One row per symbol, kept current by a view: the cost depends on the number of symbols, not of ticks.
FROM stocks.latest FINAL
WHERE empty({symbols:Array(String)}) OR symbol IN {symbols:Array(String)}
ORDER BY symbol
