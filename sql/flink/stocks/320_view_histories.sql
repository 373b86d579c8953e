-- One row per symbol, every ${ALERTS_REFRESH} s as long as it has a tick within ${ALERTS_WITHIN} s: what those were.
CREATE TEMPORARY VIEW histories AS
SELECT
    symbol,
    window_end AS ended_at,
    window_time AS bar_time,
    MAX(high) AS highest,
    MIN(low) AS lowest,
    COUNT(*) AS bars,
    CAST(SUM(volume) AS DOUBLE) / COUNT(*) AS bar_volume,
    SUM(prices) / SUM(trades) AS mean,
    SUM(squares) / SUM(trades) AS mean_square,
    MAX(ended_at) AS last_at
FROM
    TABLE(
        HOP(
            TABLE bars, DESCRIPTOR(bar_time), INTERVAL '${ALERTS_REFRESH}' SECOND, INTERVAL '${ALERTS_WITHIN}' SECOND(3)
        )
    )
GROUP BY symbol, window_start, window_end, window_time
