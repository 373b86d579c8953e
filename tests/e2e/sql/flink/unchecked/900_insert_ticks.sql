-- One row of stocks.ticks per record, once; what fits no column stops the job.
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
FROM checked_ticks
