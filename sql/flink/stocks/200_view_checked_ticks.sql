-- One row per record of the topic: its tick, in which a value that breaks a rule is NULL.
-- The producer keeps to the same rules (producer/tick.py). The form that nearly every producer writes is tested first,
-- in few steps.
CREATE TEMPORARY VIEW checked_ticks AS
SELECT
    CASE WHEN REGEXP(symbol, '^(?:${TICKS_SYMBOL_PATTERN})\z') THEN symbol END AS symbol,
    -- A number in JSON's grammar (a CAST also takes 0x1p7, 1d and blanks), above 0 and finite.
    CASE
        WHEN REGEXP(price, '^[1-9][0-9]{0,15}(?:\.[0-9]+)?\z') THEN CAST(price AS DOUBLE)
        WHEN
            REGEXP(price, '^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\z')
            AND CAST(price AS DOUBLE) > 0 AND CAST(price AS DOUBLE) <= 1.7976931348623157E308
            THEN CAST(price AS DOUBLE)
    END AS price,
    -- Whole, in 32 bits. With an exponent (1e3) at most 16 characters: then the DOUBLE is whole only if the text is.
    CASE
        WHEN REGEXP(volume, '^(?:0|[1-9][0-9]{0,8})(?:\.0+)?\z') THEN CAST(volume AS BIGINT)
        WHEN
            REGEXP(
                volume,
                '^(?:(?:0|[1-9][0-9]*)(?:\.0+)?'
                || '|(?=.{1,16}\z)-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)\z'
            )
            AND CAST(volume AS DOUBLE) BETWEEN 0 AND 4294967295
            AND CAST(volume AS DOUBLE) = FLOOR(CAST(volume AS DOUBLE))
            THEN CAST(CAST(volume AS DOUBLE) AS BIGINT)
    END AS volume,
    -- ISO 8601 in UTC, a day that exists in the years 1900 to 2299, down to the second and exact in microseconds.
    -- It stays text, without zone and trailing zeros: the sink parses that far faster than a CAST here does. REGEXP
    -- compiles its pattern once, REGEXP_EXTRACT once per record.
    CASE
        WHEN
            REGEXP(
                `timestamp`,
                '^(?:19|2[0-2])[0-9][0-9]-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])'
                || '|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31'
                || '|02-29(?<=(?:[02468][048]|[13579][26])-02-29)(?<!(?:19|2[12])00-02-29))'
                || '[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,5}|\.[0-9]{6}0*)?(?:Z|\+00:00)?\z'
            )
            THEN
                CASE
                    WHEN `timestamp` LIKE '%Z' THEN LEFT(`timestamp`, LEAST(CHAR_LENGTH(`timestamp`) - 1, 26))
                    WHEN `timestamp` LIKE '%+00:00' THEN LEFT(`timestamp`, LEAST(CHAR_LENGTH(`timestamp`) - 6, 26))
                    WHEN CHAR_LENGTH(`timestamp`) > 26 THEN LEFT(`timestamp`, 26)
                    ELSE `timestamp`
                END
    END AS `timestamp`,
    kafka_partition,
    kafka_offset,
    kafka_timestamp
FROM raw_ticks
