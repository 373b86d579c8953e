-- One row per record that is a valid tick, in the types of stocks.ticks.
CREATE TEMPORARY VIEW valid_ticks AS
SELECT
    symbol,
    CAST(price AS DOUBLE) AS price,
    CAST(volume AS BIGINT) AS volume,
    CAST(REPLACE(REGEXP_REPLACE(`timestamp`, '(Z|\+00:00)$', ''), 'T', ' ') AS TIMESTAMP(6)) AS `timestamp`,
    kafka_partition,
    kafka_offset,
    kafka_timestamp
FROM raw_ticks
