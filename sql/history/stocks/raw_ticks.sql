-- The records of raw_ticks that are valid, as stocks.ticks has them, for those that Kafka has deleted.
SELECT
    kafka_partition,
    kafka_offset,
    kafka_timestamp,
    toJSONString(
        CAST(
            (symbol, price, volume, toString(timestamp)),
            'Tuple(symbol String, price Float64, volume UInt32, timestamp String)'
        )
    ) AS value
FROM stocks.ticks FINAL
