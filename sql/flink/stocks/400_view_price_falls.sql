-- One row per fall by ${ALERTS_MOVE_PERCENT} % within ${ALERTS_WITHIN} s, from the highest price of that time.
CREATE TEMPORARY VIEW price_falls AS
SELECT
    'price_falls' AS rule,
    symbol,
    started_at,
    ended_at,
    'warning' AS severity,
    JSON_OBJECT('from' VALUE top_price, 'to' VALUE bottom_price) AS details,
    symbol || ' fell by ' || CAST(CAST(100 * (1 - bottom_price / top_price) AS DECIMAL(9, 2)) AS STRING) || ' %, from '
    || CAST(top_price AS STRING) || ' to ' || CAST(bottom_price AS STRING) AS message
FROM extremes
MATCH_RECOGNIZE ( -- noqa: LT02, PRS
    PARTITION BY symbol
    ORDER BY bar_time
    MEASURES
        FIRST(top.ended_at) AS started_at,
        LAST(bottom.ended_at) AS ended_at,
        top.high AS top_price,
        bottom.low AS bottom_price
    ONE ROW PER MATCH
    AFTER MATCH SKIP PAST LAST ROW
    PATTERN (top later*? bottom) WITHIN INTERVAL '${ALERTS_WITHIN}' SECOND(3)
    DEFINE
        top AS top.high >= top.highest,
        later AS later.high < top.high,
        bottom AS bottom.low <= top.high * (1 - ${ALERTS_MOVE_PERCENT} / 100.0)
)
