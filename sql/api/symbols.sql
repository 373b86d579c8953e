-- One row per symbol that has ever traded: how often, and when it traded first and last.
-- @param symbols = [] [..100] /${TICKS_SYMBOL_PATTERN}/: Only these; without any, all.
-- @cache 5
SELECT
    symbol,
    count() AS ticks,
    min(timestamp) AS first_tick,
    max(timestamp) AS last_tick
-- FINAL: a record that was stored twice is one tick, even before its parts are merged.
FROM stocks.ticks FINAL
WHERE empty({symbols:Array(String)}) OR symbol IN {symbols:Array(String)}
GROUP BY symbol
ORDER BY symbol
