-- One row per bar with a price more than ${ALERTS_DEVIATIONS} standard deviations from the mean, if none of the
-- ${ALERTS_WITHIN} s before had one.
CREATE TEMPORARY VIEW price_outliers AS
SELECT
    'price_outliers' AS rule,
    symbol,
    ended_at AS started_at,
    ended_at,
    'info' AS severity,
    JSON_OBJECT('price' VALUE price, 'mean' VALUE mean, 'deviations' VALUE deviations) AS details,
    symbol || ' is at ' || CAST(price AS STRING) || ', ' || CAST(deviations AS STRING)
    || ' standard deviations from its mean of ' || CAST(mean AS STRING) AS message
FROM (
    SELECT
        symbol,
        ended_at,
        CASE WHEN high - mean > mean - low THEN high ELSE low END AS price,
        -- The last digits of a sum depend on when its parts came.
        ROUND(mean, 6) AS mean,
        CAST(GREATEST(high - mean, mean - low) / deviation AS DECIMAL(9, 1)) AS deviations,
        COUNT(*) OVER (
            PARTITION BY symbol ORDER BY bar_time
            RANGE BETWEEN INTERVAL '${ALERTS_WITHIN}' SECOND(3) PRECEDING AND CURRENT ROW
        ) AS outliers
    FROM moves
    WHERE
        bars >= ${ALERTS_HISTORY}
        -- That of equal prices is 0, but for the last digits.
        AND deviation > 0.000001 * mean
        AND (high > mean + ${ALERTS_DEVIATIONS} * deviation OR low < mean - ${ALERTS_DEVIATIONS} * deviation)
)
WHERE outliers = 1
