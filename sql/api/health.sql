-- One row per part of the pipeline: ticks, and each job that was heard of within a day.
-- Its status is up, empty (no ticks yet), starting, stopped (on request, while another job runs) or down, and the
-- message says why.
WITH jobs AS (
    SELECT
        *,
        -- It has a message only if something is wrong.
        state = 'RUNNING' AND is_heard AND message = '' AS is_up
    FROM stocks.jobs
),

(SELECT countIf(is_up) > 0 FROM jobs) AS any_up,

ticks AS (
    SELECT
        count() = 0 AS is_empty,
        max(last.timestamp) AS newest,
        dateDiff('millisecond', max(last.timestamp), now64(3, 'UTC')) / 1000 AS age_seconds
    FROM stocks.latest
)

SELECT * FROM (
    SELECT
        'ticks' AS part,
        if(is_empty, 'empty', 'up') AS status,
        multiIf(
            is_empty, 'no ticks yet',
            age_seconds < -10, 'the newest tick is of the future: see the clock of its source',
            age_seconds >= 10, concat('no tick for ', formatReadableTimeDelta(floor(age_seconds))),
            ''
        ) AS message,
        if(is_empty, NULL, newest) AS newest,
        if(is_empty, NULL, age_seconds) AS age_seconds,
        NULL AS lag
    FROM ticks
    UNION ALL
    SELECT
        concat('job ', job) AS part,
        multiIf(
            is_up, 'up',
            state = 'STARTING' AND is_heard, 'starting',
            state = 'STOPPED' AND any_up, 'stopped',
            'down'
        ) AS status,
        multiIf(
            is_up, '',
            state IN ('STOPPED', 'FAILED') OR is_heard, concat(lower(state), if(message = '', '', ': '), message),
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
        'no job was heard of for a day; `make run-job` starts one' AS message,
        NULL AS newest,
        NULL AS age_seconds,
        NULL AS lag
    WHERE (SELECT count() FROM jobs) = 0
) AS parts
ORDER BY part
