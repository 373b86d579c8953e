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
    CAST(NULL AS STRING) AS reason
FROM raw_ticks
