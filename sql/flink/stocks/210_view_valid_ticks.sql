-- One row per tick. A table that takes no NULL stops the job at a record that breaks a rule, so that none is lost.
-- To leave such records out instead, end with:
-- WHERE symbol IS NOT NULL AND price IS NOT NULL AND volume IS NOT NULL AND `timestamp` IS NOT NULL
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
