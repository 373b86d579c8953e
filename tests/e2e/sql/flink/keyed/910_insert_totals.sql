-- One row per symbol and change of its totals.
INSERT INTO inserted
SELECT clickhouse_insert('keyed.totals (symbol, ticks, volume)', symbol, ticks, volume) AS stored
FROM (
    SELECT
        symbol,
        COUNT(*) AS ticks,
        SUM(volume) AS volume
    FROM raw_ticks
    GROUP BY symbol
)
