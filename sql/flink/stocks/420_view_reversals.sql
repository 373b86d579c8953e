-- One row per fall by ${ALERTS_MOVE_PERCENT} % and rise by as much after it, both within ${ALERTS_WITHIN} s: a V.
CREATE TEMPORARY VIEW reversals AS
SELECT
    'reversals' AS rule,
    symbol,
    started_at,
    ended_at,
    'critical' AS severity,
    JSON_OBJECT('from' VALUE top_price, 'bottom' VALUE bottom_price, 'to' VALUE back_price) AS details,
    symbol || ' fell from ' || CAST(top_price AS STRING) || ' to ' || CAST(bottom_price AS STRING)
    || ' and came back to ' || CAST(back_price AS STRING) AS message
FROM extremes
MATCH_RECOGNIZE ( -- noqa: LT02, PRS
    PARTITION BY symbol
    ORDER BY bar_time
    MEASURES
        FIRST(top.ended_at) AS started_at,
        LAST(back.ended_at) AS ended_at,
        top.high AS top_price,
        bottom.low AS bottom_price,
        back.high AS back_price
    ONE ROW PER MATCH
    AFTER MATCH SKIP PAST LAST ROW
    PATTERN (top falling*? bottom rising*? back) WITHIN INTERVAL '${ALERTS_WITHIN}' SECOND(3)
    DEFINE
        top AS top.high >= top.highest,
        falling AS falling.high < top.high,
        bottom AS bottom.low <= top.high * (1 - ${ALERTS_MOVE_PERCENT} / 100.0),
        -- Not a lower bottom, which would begin another rise.
        rising AS rising.low >= bottom.low,
        back AS back.high >= bottom.low * (1 + ${ALERTS_MOVE_PERCENT} / 100.0) AND back.low >= bottom.low
)
