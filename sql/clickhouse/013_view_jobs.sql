-- One row per job that should run, or was heard of within a day: what its runner said last, and what that means now.
CREATE OR REPLACE VIEW stocks.jobs AS
SELECT
    s.job,
    s.run_id,
    s.reported_at,
    s.message,
    s.records_per_second,
    s.rows_per_second,
    s.checkpointed_at,
    s.partitions,
    dateDiff('millisecond', s.reported_at, now64(3, 'UTC')) / 1000 AS age_seconds,
    -- A runner says something every second.
    age_seconds < 10 AS is_heard,
    s.state IN ('STOPPED', 'FAILED') AS has_ended,
    if(is_heard OR has_ended, s.state, 'LOST') AS state,
    -- A job that never ran, refused at its start perhaps, is not missed once its runner has ended.
    s.should_run OR (is_heard AND NOT has_ended) AS should_run,
    s.state = 'RUNNING' AND is_heard AS is_running,
    -- It has a message only if something is wrong.
    multiIf(
        is_running AND s.message = '', 'up',
        NOT should_run, 'stopped',
        s.state = 'STARTING' AND is_heard, 'starting',
        'down'
    ) AS status,
    -- Not known as a whole while one part of it is not.
    if(
        empty(s.partitions) OR has(s.partitions.lag, NULL), NULL, toFloat64(arrayReduce('sum', s.partitions.lag))
    ) AS lag
FROM stocks.job_status AS s FINAL
WHERE s.should_run OR s.reported_at > now() - INTERVAL 1 DAY
