-- One row per symbol that has ever traded: how often, and when first and last.
-- @cache 5
SELECT
    symbol,
    count() AS ticks,
    min(timestamp) AS first_tick,
    max(timestamp) AS last_tick
-- FINAL: a record that was stored twice is one tick, also until its parts merge.
FROM stocks.ticks FINAL
GROUP BY symbol
ORDER BY symbol
