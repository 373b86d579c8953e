-- One row per valid tick: a record that breaks a rule is not in it.
CREATE TEMPORARY VIEW valid_ticks AS
SELECT
    symbol,
    price,
    price_text,
    volume,
    `timestamp`,
    kafka_partition,
    kafka_offset,
    kafka_timestamp,
    event_time
FROM checked_ticks
WHERE reason IS NULL
