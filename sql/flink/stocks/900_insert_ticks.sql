-- Every valid tick goes to stocks.ticks, once.
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
FROM valid_ticks
