-- One row per record of the topic that is a JSON object: its tick, of which nothing is checked.
CREATE TEMPORARY VIEW checked_ticks AS
SELECT
    symbol,
    CAST(price AS DOUBLE) AS price,
    price AS price_text,
    CAST(volume AS BIGINT) AS volume,
    `timestamp`,
    kafka_partition,
    kafka_offset,
    kafka_timestamp,
    event_time,
    COALESCE(event_time <= CURRENT_WATERMARK(event_time), FALSE) AS is_late,
    CAST(NULL AS STRING) AS reason
FROM raw_ticks
