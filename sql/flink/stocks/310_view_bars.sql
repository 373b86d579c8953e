-- One row per symbol and step of time that has a tick: what the rules need to know of its ticks.
CREATE TEMPORARY VIEW bars AS
SELECT
    symbol,
    window_end AS ended_at,
    window_time AS bar_time,
    MAX(price) AS high,
    MIN(price) AS low,
    SUM(volume) AS volume,
    COUNT(*) AS trades,
    SUM(price) AS prices,
    SUM(price * price) AS squares
FROM TABLE(TUMBLE(TABLE valid_ticks, DESCRIPTOR(event_time), INTERVAL '${ALERTS_STEP}' SECOND))
GROUP BY symbol, window_start, window_end, window_time
