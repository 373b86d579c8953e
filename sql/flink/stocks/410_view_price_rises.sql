-- One row per rise by ${ALERTS_MOVE_PERCENT} % within ${ALERTS_WITHIN} s, from the lowest price of that time.
CREATE TEMPORARY VIEW price_rises AS
SELECT
    'price_rises' AS rule,
    symbol,
    started_at,
    ended_at,
    'warning' AS severity,
    JSON_OBJECT('from' VALUE bottom_price, 'to' VALUE top_price) AS details,
    symbol || ' rose by ' || CAST(CAST(100 * (top_price / bottom_price - 1) AS DECIMAL(9, 2)) AS STRING) || ' %, from '
    || CAST(bottom_price AS STRING) || ' to ' || CAST(top_price AS STRING) AS message
FROM extremes
MATCH_RECOGNIZE ( -- noqa: LT02, PRS
    PARTITION BY symbol
    ORDER BY bar_time
    MEASURES
        FIRST(bottom.ended_at) AS started_at,
        LAST(top.ended_at) AS ended_at,
        bottom.low AS bottom_price,
        top.high AS top_price
    ONE ROW PER MATCH
    AFTER MATCH SKIP PAST LAST ROW
    PATTERN (bottom later*? top) WITHIN INTERVAL '${ALERTS_WITHIN}' SECOND(3)
    DEFINE
        bottom AS bottom.low <= bottom.lowest,
        later AS later.low > bottom.low,
        top AS top.high >= bottom.low * (1 + ${ALERTS_MOVE_PERCENT} / 100.0)
)
