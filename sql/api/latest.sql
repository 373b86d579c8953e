-- One row per symbol: its newest tick, and how far the price has moved since the first tick of that day (UTC).
-- @param symbols = [] [..100] /${TICKS_SYMBOL_PATTERN}/: Only these; without any, all.
SELECT
    symbol,
    -- Not last.price: that reads a part of the tuple alone, and FINAL keeps that of any row.
    tupleElement(last, 'price') AS price,
    tupleElement(last, 'volume') AS volume,
    tupleElement(last, 'timestamp') AS timestamp,
    tupleElement(first, 'price') AS open,
    -tupleElement(low, 'minus_price') AS low,
    tupleElement(high, 'price') AS high,
    -- Rounded, because a difference of decimals in binary ends in noise.
    round(price - open, 6) AS change,
    round(100 * (price - open) / open, 4) AS change_percent
-- One row per symbol, kept up by a view: what this costs depends on the symbols, not on the ticks.
FROM stocks.latest FINAL
WHERE empty({symbols:Array(String)}) OR symbol IN {symbols:Array(String)}
ORDER BY symbol
