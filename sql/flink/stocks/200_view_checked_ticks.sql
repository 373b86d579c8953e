-- One row per record of the topic: its tick, in which a value that breaks a rule is NULL.
CREATE TEMPORARY VIEW checked_ticks AS
SELECT
    CASE WHEN REGEXP(symbol, '^(?:${TICKS_SYMBOL_PATTERN})\z') THEN symbol END AS symbol,
    -- Finite and above 0. What is no number is NULL already.
    CASE
        WHEN TRY_CAST(price AS DOUBLE) > 0 AND TRY_CAST(price AS DOUBLE) <= 1.7976931348623157E308
            THEN TRY_CAST(price AS DOUBLE)
    END AS price,
    -- Whole; that it fits 32 bits the table checks.
    CASE WHEN REGEXP(volume, '^[0-9]{1,18}\z') THEN CAST(volume AS BIGINT) END AS volume,
    -- Text of ISO 8601 in UTC, for the sink reads it exactly and far faster than a CAST does here.
    CASE
        WHEN `timestamp` LIKE '%Z' OR `timestamp` LIKE '%+00:00'
            THEN REGEXP_REPLACE(`timestamp`, '(Z|\+00:00)\z', '')
        ELSE `timestamp`
    END AS `timestamp`,
    kafka_partition,
    kafka_offset,
    kafka_timestamp
FROM raw_ticks
