-- One row per valid tick: a record that breaks a rule is not in it.
-- An insert that reads only this view leaves such records out in silence. 900_insert_ticks.sql reads all records
-- instead, and stops the job at the first invalid one, so a filter on this view hides none from the job.
CREATE TEMPORARY VIEW valid_ticks AS
SELECT
    symbol,
    price,
    volume,
    `timestamp`,
    kafka_partition,
    kafka_offset,
    kafka_timestamp
FROM checked_ticks
WHERE symbol IS NOT NULL AND price IS NOT NULL AND volume IS NOT NULL AND `timestamp` IS NOT NULL
