-- One row per bar whose volume is ${ALERTS_BURST_TIMES} times what is usual, if none of the ${ALERTS_WITHIN} s before
-- was.
CREATE TEMPORARY VIEW volume_bursts AS
SELECT
    'volume_bursts' AS rule,
    symbol,
    ended_at AS started_at,
    ended_at,
    'info' AS severity,
    JSON_OBJECT('volume' VALUE volume, 'usual' VALUE bar_volume) AS details,
    symbol || ': ' || CAST(volume AS STRING) || ' shares at once, '
    || CAST(CAST(volume / bar_volume AS DECIMAL(9, 1)) AS STRING) || ' times as many as usual' AS message
FROM (
    SELECT
        symbol,
        ended_at,
        volume,
        bar_volume,
        COUNT(*) OVER (
            PARTITION BY symbol ORDER BY bar_time
            RANGE BETWEEN INTERVAL '${ALERTS_WITHIN}' SECOND(3) PRECEDING AND CURRENT ROW
        ) AS bursts
    FROM moves
    WHERE bars >= ${ALERTS_HISTORY} AND volume >= ${ALERTS_BURST_TIMES} * bar_volume AND volume > 0
)
WHERE bursts = 1
