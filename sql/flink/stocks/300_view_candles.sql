-- One row per symbol and minute (UTC), as soon as it has a tick, and again as it gets more, up to a day after the last.
CREATE TEMPORARY VIEW candles AS
-- A minute to which no tick came for so long, by the clock and also while the job is stopped, is forgotten: a later
-- tick begins a candle that lacks the earlier ones.
SELECT /*+ STATE_TTL('placed_ticks' = '1d') */
    symbol,
    `start`,
    -- The price is what follows time and offset.
    CAST(SUBSTRING(MIN(traded), 29) AS DOUBLE) AS `open`,
    MAX(price) AS high,
    MIN(price) AS low,
    CAST(SUBSTRING(MAX(traded), 29) AS DOUBLE) AS `close`,
    SUM(volume) AS volume,
    COUNT(*) AS trades
FROM (
    SELECT
        symbol,
        CONCAT(LEFT(`timestamp`, 10), ' ', SUBSTRING(`timestamp`, 12, 5), ':00') AS `start`,
        -- Its order as text is that of the ticks: by time, then by offset. Flink aggregates texts, but cannot take one
        -- column where another is the smallest.
        CONCAT(
            -- Seconds and microseconds, in 9 characters.
            CASE CHAR_LENGTH(`timestamp`)
                WHEN 26 THEN SUBSTRING(`timestamp`, 18)
                WHEN 19 THEN SUBSTRING(`timestamp`, 18) || '.000000'
                ELSE RPAD(SUBSTRING(`timestamp`, 18), 9, '0')
            END,
            -- In 19 digits.
            CAST(1000000000000000000 + kafka_offset AS STRING),
            price_text
        ) AS traded,
        price,
        volume
    FROM valid_ticks
) AS placed_ticks
GROUP BY symbol, `start`
