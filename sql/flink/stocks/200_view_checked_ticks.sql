-- One row per record of the topic that is a JSON object: its tick, and the reason if it is not valid (NULL: it is).
-- The producer keeps to the same rules (producer/tick.py).
CREATE TEMPORARY VIEW checked_ticks AS
SELECT
    symbol,
    -- A CAST takes more than the rules do (0x1p7, blanks, 12.7 as 12): these values hold only if there is no reason.
    TRY_CAST(price AS DOUBLE) AS price,
    price AS price_text,
    COALESCE(TRY_CAST(volume AS BIGINT), TRY_CAST(TRY_CAST(volume AS DOUBLE) AS BIGINT)) AS volume,
    -- It stays text, without zone and trailing zeros: the sink parses that far faster than a CAST here does.
    CASE
        WHEN `timestamp` LIKE '%Z' THEN LEFT(`timestamp`, LEAST(CHAR_LENGTH(`timestamp`) - 1, 26))
        WHEN `timestamp` LIKE '%+00:00' THEN LEFT(`timestamp`, LEAST(CHAR_LENGTH(`timestamp`) - 6, 26))
        WHEN CHAR_LENGTH(`timestamp`) > 26 THEN LEFT(`timestamp`, 26)
        ELSE `timestamp`
    END AS `timestamp`,
    kafka_partition,
    kafka_offset,
    kafka_timestamp,
    event_time,
    -- The watermark of its partition had passed it: a window or pattern may have ended without it.
    COALESCE(event_time <= CURRENT_WATERMARK(event_time), FALSE) AS is_late,
    CASE
        -- The form that nearly every producer writes, in few steps. REGEXP compiles its pattern once.
        WHEN
            REGEXP(symbol, '^(?:${TICKS_SYMBOL_PATTERN})\z')
            AND REGEXP(price, '^[1-9][0-9]{0,15}(?:\.[0-9]+)?\z')
            AND REGEXP(volume, '^(?:0|[1-9][0-9]{0,8})\z')
            AND REGEXP(
                `timestamp`,
                '^(?:19|2[0-2])[0-9][0-9]-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])'
                || '|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)'
                || '[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?Z?\z'
            )
            THEN CAST(NULL AS STRING)
        WHEN symbol IS NULL THEN 'symbol: missing'
        WHEN
            NOT REGEXP(symbol, '^(?:${TICKS_SYMBOL_PATTERN})\z')
            THEN 'symbol: ''' || LEFT(symbol, 80) || ''' does not match ${TICKS_SYMBOL_PATTERN}'
        -- A number in JSON's grammar, above 0 and finite.
        WHEN price IS NULL THEN 'price: missing'
        WHEN
            NOT (
                REGEXP(price, '^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\z')
                AND CAST(price AS DOUBLE) > 0 AND CAST(price AS DOUBLE) <= 1.7976931348623157E308
            )
            THEN 'price: ''' || LEFT(price, 80) || ''' is not a finite number above 0'
        -- Whole, in 32 bits. With an exponent (1e3) at most 16 characters: then the DOUBLE is whole if the text is.
        WHEN volume IS NULL THEN 'volume: missing'
        WHEN
            NOT (
                REGEXP(
                    volume,
                    '^(?:(?:0|[1-9][0-9]*)(?:\.0+)?'
                    || '|(?=.{1,16}\z)-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)\z'
                )
                AND CAST(volume AS DOUBLE) BETWEEN 0 AND 4294967295
                AND CAST(volume AS DOUBLE) = FLOOR(CAST(volume AS DOUBLE))
            )
            THEN 'volume: ''' || LEFT(volume, 80) || ''' is not a whole number from 0 to 4294967295'
        -- ISO 8601 in UTC, a day that exists in the years 1900 to 2299, down to the second and exact in microseconds.
        WHEN `timestamp` IS NULL THEN 'timestamp: missing'
        WHEN
            NOT REGEXP(
                `timestamp`,
                '^(?:19|2[0-2])[0-9][0-9]-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])'
                || '|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31'
                || '|02-29(?<=(?:[02468][048]|[13579][26])-02-29)(?<!(?:19|2[12])00-02-29))'
                || '[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,5}|\.[0-9]{6}0*)?(?:Z|\+00:00)?\z'
            )
            THEN
                'timestamp: ''' || LEFT(`timestamp`, 80)
                || ''' is not a time in ISO 8601 and UTC, from 1900 to 2299, exact in microseconds'
    END AS reason
FROM raw_ticks
