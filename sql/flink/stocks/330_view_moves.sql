-- One row per bar, with what its symbol did in the ${ALERTS_WITHIN} s before: its history of up to ${ALERTS_REFRESH} s
-- ago, and the highest and lowest price since then. An OVER window of the whole time would look at each bar in it again
-- for each bar: ten times the cost of all the rest.
CREATE TEMPORARY VIEW moves AS
SELECT
    symbol,
    ended_at,
    bar_time,
    high,
    low,
    volume,
    COALESCE(GREATEST(highest, recent_highest), recent_highest) AS highest,
    COALESCE(LEAST(lowest, recent_lowest), recent_lowest) AS lowest,
    bars,
    bar_volume,
    mean,
    SQRT(GREATEST(mean_square - mean * mean, CAST(0 AS DOUBLE))) AS deviation
FROM (
    SELECT
        symbol,
        ended_at,
        bar_time,
        high,
        low,
        volume,
        recent_highest,
        recent_lowest,
        is_bar,
        has_ticks,
        -- LAST_VALUE leaves out NULL: the value of the last row that is a history.
        LAST_VALUE(highest) OVER known AS highest,
        LAST_VALUE(lowest) OVER known AS lowest,
        LAST_VALUE(bars) OVER known AS bars,
        LAST_VALUE(bar_volume) OVER known AS bar_volume,
        LAST_VALUE(mean) OVER known AS mean,
        LAST_VALUE(mean_square) OVER known AS mean_square
    FROM (
        SELECT
            symbol,
            ended_at,
            bar_time,
            high,
            low,
            volume,
            MAX(high) OVER recent AS recent_highest,
            MIN(low) OVER recent AS recent_lowest,
            TRUE AS is_bar,
            -- True. All that read bars use all of its columns: then Flink computes bars once.
            trades > 0 AND prices > 0 AND squares > 0 AS has_ticks,
            CAST(NULL AS DOUBLE) AS highest,
            CAST(NULL AS DOUBLE) AS lowest,
            CAST(NULL AS BIGINT) AS bars,
            CAST(NULL AS DOUBLE) AS bar_volume,
            CAST(NULL AS DOUBLE) AS mean,
            CAST(NULL AS DOUBLE) AS mean_square
        FROM bars
        WINDOW
            recent AS (
                PARTITION BY symbol ORDER BY bar_time
                RANGE BETWEEN INTERVAL '${ALERTS_REFRESH}' SECOND(3) PRECEDING AND CURRENT ROW
            )
        UNION ALL
        SELECT
            symbol,
            ended_at,
            bar_time,
            CAST(NULL AS DOUBLE) AS high,
            CAST(NULL AS DOUBLE) AS low,
            CAST(NULL AS BIGINT) AS volume,
            CAST(NULL AS DOUBLE) AS recent_highest,
            CAST(NULL AS DOUBLE) AS recent_lowest,
            FALSE AS is_bar,
            -- Silences take the time, too: all that read histories use all of their columns.
            last_at > ended_at AS has_ticks,
            highest,
            lowest,
            bars,
            bar_volume,
            mean,
            mean_square
        FROM histories
    )
    WINDOW known AS (PARTITION BY symbol ORDER BY bar_time RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
WHERE is_bar AND has_ticks
