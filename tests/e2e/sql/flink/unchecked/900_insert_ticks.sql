-- Every record goes to stocks.ticks, also one that does not fit.
INSERT INTO inserted
SELECT
    clickhouse_insert(
        'stocks.ticks (symbol, price, volume, timestamp, kafka_partition, kafka_offset, kafka_timestamp)',
        symbol,
        price,
        volume,
        `timestamp`,
        kafka_partition,
        kafka_offset,
        kafka_timestamp
    ) AS stored
FROM trades
