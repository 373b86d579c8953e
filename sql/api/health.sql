-- One row per part of the pipeline: ticks, and each job that should run or has reported within a day.
-- Its status is up, empty (no ticks yet), starting, stopped (it is not expected to run) or down, and the message says
-- why. A job should run from its first run until it is stopped on request; at least one job should. Its lag is the sum
-- over its partitions except the unknown_partitions; its dead_letters are those that no replay has stored.
WITH ticks AS (
    SELECT
        count() = 0 AS is_empty,
        max(last.timestamp) AS newest,
        dateDiff('millisecond', max(last.timestamp), now64(3, 'UTC')) / 1000 AS age_seconds
    FROM stocks.latest
)

SELECT
    parts.*,
    if(startsWith(parts.part, 'job '), counts.dead_letters, NULL) AS dead_letters
FROM (
    SELECT
        'ticks' AS part,
        if(is_empty, 'empty', 'up') AS status,
        multiIf(
            is_empty, 'no ticks yet',
            age_seconds < -10, 'the newest tick is in the future: check the clock of its source',
            age_seconds >= 10, concat('no tick for ', formatReadableTimeDelta(floor(age_seconds))),
            ''
        ) AS message,
        if(is_empty, NULL, newest) AS newest,
        if(is_empty, NULL, age_seconds) AS age_seconds,
        NULL AS lag,
        NULL AS unknown_partitions
    FROM ticks
    UNION ALL
    SELECT
        concat('job ', job) AS part,
        status,
        concat(
            multiIf(
                is_up, '',
                state = 'LOST',
                concat('its runner has not reported for ', formatReadableTimeDelta(floor(age_seconds))),
                concat(lower(state), if(message = '', '', ': '), message)
            ),
            -- A job that has ended is either started again or retired.
            if(
                status = 'down' AND NOT is_alive,
                replaceAll(' (`make run-job JOB={}` starts it; `make stop-job JOB={}` if it need not run)', '{}', job),
                ''
            ),
            -- A job that continues after a loss is up.
            if(is_alive, concat(if(is_up OR lost = '', '', '; '), lost), ''),
            if(is_running, concat(if(notice = '' OR (is_up AND lost = ''), '', '; '), notice), '')
        ) AS message,
        reported_at AS newest,
        age_seconds,
        if(is_running, lag, NULL) AS lag,
        if(is_running, unknown_partitions, NULL) AS unknown_partitions
    FROM stocks.jobs
    UNION ALL
    SELECT
        'jobs' AS part,
        'down' AS status,
        'no job runs; `make run-job` starts one' AS message,
        NULL AS newest,
        NULL AS age_seconds,
        NULL AS lag,
        NULL AS unknown_partitions
    WHERE (SELECT countIf(should_run) FROM stocks.jobs) = 0
) AS parts
LEFT JOIN stocks.dead_letter_counts AS counts ON parts.part = concat('job ', counts.job)
ORDER BY parts.part
