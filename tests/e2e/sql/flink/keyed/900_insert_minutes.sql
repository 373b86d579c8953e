-- One row per symbol and minute, when the minute has passed.
INSERT INTO inserted
SELECT clickhouse_insert('keyed.minutes (symbol, minute, ticks, volume)', symbol, window_start, ticks, volume) AS stored
FROM (
    SELECT
        symbol,
        window_start,
        COUNT(*) AS ticks,
        SUM(volume) AS volume
    FROM TABLE(TUMBLE(TABLE raw_ticks, DESCRIPTOR(`timestamp`), INTERVAL '1' MINUTE))
    GROUP BY symbol, window_start, window_end
)
