-- One row per point of a symbol's price over time: real ticks, few enough to draw, with every peak.
-- @param symbols [1..20] /${TICKS_SYMBOL_PATTERN}/: Of which symbols.
-- @param from = null: The first moment; without it, a day before the last.
-- @param to = null: Only ticks before this moment; without it, up to the newest (none in the future).
-- @param points = 500 [4..10000]: How many points of each symbol at most.
WITH
coalesce(
    {to:Nullable(DateTime64(6, 'UTC'))},
    (
        SELECT least(max(tupleElement(last, 'timestamp')), now64(6, 'UTC')) FROM stocks.latest
        WHERE symbol IN {symbols:Array(String)}
    )
) AS last_moment,

coalesce({from:Nullable(DateTime64(6, 'UTC'))}, last_moment - INTERVAL 1 DAY) AS first_moment,

ticks AS (
    SELECT
        symbol,
        timestamp,
        price,
        -- By time, then by offset: ticks of one moment keep the order of their records.
        (timestamp, kafka_offset) AS place
    FROM stocks.ticks
    WHERE
        symbol IN {symbols:Array(String)}
        AND timestamp >= first_moment
        AND if({to:Nullable(DateTime64(6, 'UTC'))} IS NULL, timestamp <= last_moment, timestamp < last_moment)
),

-- The slices of a symbol divide the span of its ticks, so that a day with one busy hour shows that hour in detail.
spans AS (
    SELECT
        symbol,
        min(toUnixTimestamp64Micro(timestamp)) AS beginning,
        intDiv(max(toUnixTimestamp64Micro(timestamp)) - beginning, intDiv({points:UInt16}, 4)) + 1 AS width
    FROM ticks
    GROUP BY symbol
),

-- A slice gives four ticks at most: its first, lowest, highest and last.
slices AS (
    SELECT
        t.symbol,
        [
            (min(t.timestamp), argMin(t.price, t.place)),
            (argMin(t.timestamp, t.price), min(t.price)),
            (argMax(t.timestamp, t.price), max(t.price)),
            (max(t.timestamp), argMax(t.price, t.place))
        ] AS ends
    FROM ticks AS t
    INNER JOIN spans AS s ON t.symbol = s.symbol
    GROUP BY t.symbol, intDiv(toUnixTimestamp64Micro(t.timestamp) - s.beginning, s.width)
)

SELECT
    slices.symbol,
    tick.1 AS timestamp,
    tick.2 AS price
FROM slices
ARRAY JOIN arrayDistinct(slices.ends) AS tick
ORDER BY slices.symbol, timestamp
