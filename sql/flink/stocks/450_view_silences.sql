-- One row per symbol that has no tick for ${ALERTS_SILENCE} s although others have.
CREATE TEMPORARY VIEW silences AS
SELECT
    'silences' AS rule,
    symbol,
    last_at AS started_at,
    ended_at,
    'warning' AS severity,
    JSON_OBJECT('seconds' VALUE seconds) AS details,
    symbol || ' has no tick for ' || CAST(seconds AS STRING) || ' s' AS message
FROM (
    SELECT
        symbol,
        last_at,
        ended_at,
        seconds,
        COUNT(*) OVER (
            PARTITION BY symbol, last_at ORDER BY bar_time
            RANGE BETWEEN INTERVAL '${ALERTS_WITHIN}' SECOND(3) PRECEDING AND CURRENT ROW
        ) AS silences
    FROM (
        SELECT
            symbol,
            last_at,
            ended_at,
            bar_time,
            -- Until the newest tick of any symbol: while none ticks, as at night, none is silent.
            TIMESTAMPDIFF(SECOND, last_at, MAX(last_at) OVER (ORDER BY bar_time)) AS seconds
        FROM histories
        -- True. All columns are used, as in moves: then Flink computes the histories once.
        WHERE highest >= lowest AND mean > 0 AND mean_square > 0 AND bar_volume >= 0 AND bars > 0
    )
    WHERE seconds >= ${ALERTS_SILENCE}
)
WHERE silences = 1
