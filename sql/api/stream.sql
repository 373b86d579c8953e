-- One row per tick, as soon as it is stored.
-- @stream kafka_offset by inserted_by, kafka_partition key symbol as symbols
-- @param symbols = [] [..100] /${TICKS_SYMBOL_PATTERN}/: Only these; without any, all.
SELECT
    symbol,
    price,
    volume,
    timestamp,
    inserted_by,
    kafka_partition,
    kafka_offset
FROM stocks.ticks
WHERE inserted_at >= now64(3, 'UTC') - toIntervalSecond({window:UInt32})
