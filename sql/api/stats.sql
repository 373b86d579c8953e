-- One row per symbol that traded in a span of time: how often, how much and at what prices.
-- @param symbols = [] [..100] /${TICKS_SYMBOL_PATTERN}/: Only these; without any, all.
-- @param from = null: The first moment; without it, a day before the last.
-- @param to = null: Only ticks before this moment; without it, up to the newest (none in the future).
-- @cache 1
WITH
coalesce(
    {to:Nullable(DateTime64(6, 'UTC'))},
    (
        SELECT least(max(tupleElement(last, 'timestamp')), now64(6, 'UTC')) FROM stocks.latest
        WHERE empty({symbols:Array(String)}) OR symbol IN {symbols:Array(String)}
    )
) AS last_moment,

coalesce({from:Nullable(DateTime64(6, 'UTC'))}, last_moment - INTERVAL 1 DAY) AS first_moment

SELECT
    t.symbol,
    count() AS ticks,
    min(t.price) AS min_price,
    max(t.price) AS max_price,
    avg(t.price) AS mean_price,
    stddevSamp(t.price) AS price_deviation,
    sum(t.price * t.volume) / sum(t.volume) AS vwap,
    sum(t.volume) AS volume
-- FINAL: a record that was stored twice is one tick, even before its parts are merged.
FROM stocks.ticks AS t FINAL
WHERE
    (empty({symbols:Array(String)}) OR t.symbol IN {symbols:Array(String)})
    AND t.timestamp >= first_moment
    AND if({to:Nullable(DateTime64(6, 'UTC'))} IS NULL, t.timestamp <= last_moment, t.timestamp < last_moment)
GROUP BY t.symbol
ORDER BY t.symbol
