-- One row per part of the pipeline: ticks, and each job that was heard of within a day. Its status is up, empty
-- (no ticks yet), stopped (on request, while another job runs) or down, and the message says why.
WITH jobs AS (
    SELECT
        job,
        reported_at,
        state,
        message,
        if(has(partitions.lag, NULL), NULL, toFloat64(arrayReduce('sum', partitions.lag))) AS lag,
        dateDiff('millisecond', reported_at, now64(3, 'UTC')) / 1000 AS age_seconds,
        state = 'RUNNING' AND age_seconds < 10 AS is_up
    FROM stocks.job_status FINAL
    WHERE reported_at > now() - INTERVAL 1 DAY
),

(SELECT countIf(is_up) > 0 FROM jobs) AS any_up,

ticks AS (
    SELECT
        count() AS symbols,
        max(last.timestamp) AS newest,
        dateDiff('millisecond', max(last.timestamp), now64(3, 'UTC')) / 1000 AS age_seconds
    FROM stocks.latest
)

SELECT
    'ticks' AS part,
    if(symbols = 0, 'empty', 'up') AS status,
    multiIf(
        symbols = 0, 'no ticks yet',
        age_seconds >= 10, concat('no tick for ', formatReadableTimeDelta(floor(age_seconds))),
        ''
    ) AS message,
    if(symbols = 0, NULL, newest) AS newest,
    if(symbols = 0, NULL, age_seconds) AS age_seconds,
    NULL AS lag
FROM ticks
UNION ALL
SELECT
    concat('job ', job) AS part,
    multiIf(is_up, 'up', any_up AND state = 'STOPPED', 'stopped', 'down') AS status,
    multiIf(
        is_up, '',
        state IN ('STOPPED', 'FAILED') OR age_seconds < 10, concat(lower(state), if(message = '', '', ': '), message),
        concat('its runner has said nothing for ', formatReadableTimeDelta(floor(age_seconds)))
    ) AS message,
    reported_at AS newest,
    age_seconds,
    if(is_up, lag, NULL) AS lag
FROM jobs
UNION ALL
SELECT
    'jobs' AS part,
    'down' AS status,
    'no job has run; `make run-job` starts it' AS message,
    NULL AS newest,
    NULL AS age_seconds,
    NULL AS lag
WHERE (SELECT count() FROM jobs) = 0
