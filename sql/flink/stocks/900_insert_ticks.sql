-- One row of stocks.ticks per valid tick, and one of stocks.dead_letters per record that is none, each once.
-- It reads all records, so that a record which holds several ticks is seen whole. ELSE says where those with a reason
-- go, and that these two tables account for each record of the topic.
INSERT INTO inserted
SELECT
    clickhouse_insert(
        'stocks.ticks (symbol, price, volume, timestamp, kafka_partition, kafka_offset, kafka_timestamp, is_late)
        ELSE stocks.dead_letters (reason)',
        symbol,
        price,
        volume,
        `timestamp`,
        kafka_partition,
        kafka_offset,
        kafka_timestamp,
        is_late,
        reason
    ) AS stored
FROM checked_ticks
