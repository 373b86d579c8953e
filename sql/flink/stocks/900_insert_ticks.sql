-- One row of stocks.ticks per record of the topic, once.
-- A record that breaks a rule has a NULL, which no column of the table takes: it stops the job, so that none is lost.
-- To leave such records out instead, read valid_ticks.
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
