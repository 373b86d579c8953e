-- One row per symbol and interval that had a tick: open, high, low, close. The newest comes first and is still forming.
-- @param symbols [1..20] /${TICKS_SYMBOL_PATTERN}/: Of which symbols.
-- @param interval = 1m: How long one candle takes.
-- @param from = null: Only ticks of this moment or later.
-- @param to = null: Only ticks before this moment.
-- @param limit = 500 [1..10000]: How many rows a page has at most.
-- @page start desc, symbol
WITH toInt64(
    1000000 * parseTimeDelta(
        toString({interval:Enum8('1s', '5s', '15s', '30s', '1m', '5m', '15m', '30m', '1h', '4h', '12h', '1d')})
    )
) AS step,

-- Not toStartOfInterval, whose range ends in 2106.
moments AS (
    SELECT fromUnixTimestamp64Micro(toInt64(floor(toUnixTimestamp64Micro(timestamp) / step)) * step, 'UTC') AS start
    FROM stocks.ticks
    WHERE
        symbol IN {symbols:Array(String)}
        AND ({from:Nullable(DateTime64(6, 'UTC'))} IS NULL OR timestamp >= {from:Nullable(DateTime64(6, 'UTC'))})
        AND ({to:Nullable(DateTime64(6, 'UTC'))} IS NULL OR timestamp < {to:Nullable(DateTime64(6, 'UTC'))})
        AND ({after:Nullable(DateTime64(6, 'UTC'))} IS NULL OR timestamp < {after:Nullable(DateTime64(6, 'UTC'))})
    GROUP BY start
    ORDER BY start DESC
    -- One more, by which the API knows that there is another page.
    LIMIT {limit:UInt32} + 1
),

-- A page reads the ticks of its own candles, and of those of the moment at which the page before ended.
(SELECT coalesce(minOrNull(start), {after:Nullable(DateTime64(6, 'UTC'))}) FROM moments) AS first_moment

SELECT
    t.symbol,
    fromUnixTimestamp64Micro(toInt64(floor(toUnixTimestamp64Micro(t.timestamp) / step)) * step, 'UTC') AS start,
    -- By time, then by offset: ticks of one moment keep the order of their records.
    argMin(t.price, (t.timestamp, t.kafka_offset)) AS open,
    max(t.price) AS high,
    min(t.price) AS low,
    argMax(t.price, (t.timestamp, t.kafka_offset)) AS close,
    sum(t.volume) AS volume,
    count() AS trades,
    sum(t.price * t.volume) / sum(t.volume) AS vwap
-- FINAL: a record that was stored twice is one tick, even before its parts are merged.
FROM stocks.ticks AS t FINAL
WHERE
    t.symbol IN {symbols:Array(String)}
    AND ({from:Nullable(DateTime64(6, 'UTC'))} IS NULL OR t.timestamp >= {from:Nullable(DateTime64(6, 'UTC'))})
    AND ({to:Nullable(DateTime64(6, 'UTC'))} IS NULL OR t.timestamp < {to:Nullable(DateTime64(6, 'UTC'))})
    AND t.timestamp >= first_moment
    AND (
        {after:Nullable(DateTime64(6, 'UTC'))} IS NULL
        OR t.timestamp < fromUnixTimestamp64Micro(
            toUnixTimestamp64Micro(assumeNotNull({after:Nullable(DateTime64(6, 'UTC'))})) + step
        )
    )
GROUP BY t.symbol, start
