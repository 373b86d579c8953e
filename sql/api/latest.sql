-- One row per symbol: its newest tick, and how far the price has moved since the first tick of that day (UTC).
-- @param symbols = [] [..100] /[A-Z0-9.-]{1,16}/: Only these; without any, all.
WITH
-- One pass over two sorted columns; prices are then read for two moments of each symbol only.
days AS (
    SELECT
        symbol,
        min(timestamp) AS first_tick,
        max(timestamp) AS last_tick
    FROM stocks.ticks
    WHERE empty({symbols:Array(String)}) OR symbol IN {symbols:Array(String)}
    GROUP BY symbol, toDate(timestamp)
    ORDER BY last_tick DESC
    LIMIT 1 BY symbol
),

ends AS (
    SELECT
        t.symbol,
        argMin(t.price, (t.timestamp, t.kafka_offset)) AS open,
        argMax(t.price, (t.timestamp, t.kafka_offset)) AS price,
        argMax(t.volume, (t.timestamp, t.kafka_offset)) AS volume,
        max(t.timestamp) AS timestamp
    FROM stocks.ticks AS t
    WHERE (t.symbol, t.timestamp) IN (
        SELECT
            days.symbol,
            arrayJoin([days.first_tick, days.last_tick])
        FROM days
    )
    GROUP BY t.symbol
)

SELECT
    ends.symbol,
    ends.price,
    ends.volume,
    ends.timestamp,
    ends.price - ends.open AS change,
    100 * (ends.price - ends.open) / ends.open AS change_percent
FROM ends
ORDER BY ends.symbol
