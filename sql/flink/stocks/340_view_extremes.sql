-- The few bars that begin or complete a fall or a rise: beyond the prices of their history, or far from these. A
-- pattern costs far more for a row than this filter does.
CREATE TEMPORARY VIEW extremes AS
SELECT
    symbol,
    ended_at,
    bar_time,
    high,
    low,
    highest,
    lowest
FROM moves
WHERE
    high >= highest
    OR low <= lowest
    OR low <= highest * (1 - ${ALERTS_MOVE_PERCENT} / 100.0)
    OR high >= lowest * (1 + ${ALERTS_MOVE_PERCENT} / 100.0)
