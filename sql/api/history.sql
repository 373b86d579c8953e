-- One row per point of a symbol's price over time: real ticks, few enough to draw, no peak left out.
-- @param symbols [1..20] /[A-Z0-9.-]{1,16}/: Whose.
-- @param from = null: The first moment; without it, a day before the last.
-- @param to = null: The last moment; without it, that of the newest tick.
-- @param points = 500 [4..10000]: How many points of each symbol at most.
WITH
coalesce(
    {to:Nullable(DateTime64(6, 'UTC'))},
    (
        SELECT max(tupleElement(last, 'timestamp')) FROM stocks.latest
        WHERE symbol IN {symbols:Array(String)}
    )
) AS last_moment,

coalesce({from:Nullable(DateTime64(6, 'UTC'))}, last_moment - INTERVAL 1 DAY) AS first_moment,

ticks AS (
    SELECT
        symbol,
        timestamp,
        price
    FROM stocks.ticks
    WHERE symbol IN {symbols:Array(String)} AND timestamp BETWEEN first_moment AND last_moment
),

-- Slices span the ticks there are, so that a day with one busy hour shows that hour in full.
(SELECT min(toUnixTimestamp64Micro(timestamp)) FROM ticks) AS beginning,

(SELECT max(toUnixTimestamp64Micro(timestamp)) FROM ticks) AS ending,

intDiv(ending - beginning, intDiv({points:UInt16}, 4)) + 1 AS width,

-- A slice gives four ticks at most: its first, lowest, highest and last.
slices AS (
    SELECT
        symbol,
        [
            (min(timestamp), argMin(price, timestamp)),
            (argMin(timestamp, price), min(price)),
            (argMax(timestamp, price), max(price)),
            (max(timestamp), argMax(price, timestamp))
        ] AS ends
    FROM ticks
    GROUP BY symbol, intDiv(toUnixTimestamp64Micro(timestamp) - beginning, width)
)

SELECT
    slices.symbol,
    tick.1 AS timestamp,
    tick.2 AS price
FROM slices
ARRAY JOIN arrayDistinct(slices.ends) AS tick
ORDER BY slices.symbol, timestamp
