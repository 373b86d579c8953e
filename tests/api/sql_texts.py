"""Endpoint files that several tests write."""

PLACES = (
    "-- One row per place.\n-- @param names{}: Which.\n"
    "SELECT arrayJoin({{names:Array(String)}}) AS n"
)
MOST_TICKS = """-- One row per symbol, that with the most ticks first.
-- @param min_count = 1 [0..]: How many ticks at least.
SELECT symbol, count() AS ticks
FROM stocks.ticks
GROUP BY symbol
HAVING ticks >= {min_count:UInt32}
ORDER BY ticks DESC
"""
FILL = (
    "INSERT INTO stocks.ticks (symbol, price, volume, timestamp, kafka_partition, kafka_offset,"
    " kafka_timestamp, inserted_by) SELECT 'S' || toString(number % 50), 1, 1,"
    # Ten ticks share each timestamp, so that pages end between them.
    " toDateTime64('2024-01-30 00:00:00', 6, 'UTC') + toIntervalMillisecond(intDiv(number, 10)),"
    " number % 4, intDiv(number, 4), now64(3), 'test' FROM numbers({count})"
)
