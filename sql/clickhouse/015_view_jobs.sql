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
    s.lost,
    arrayFilter(lag -> lag IS NOT NULL, s.partitions.lag) AS known_lags,
    -- Of the partitions that are known.
    if(empty(known_lags), NULL, toFloat64(arrayReduce('sum', known_lags))) AS lag,
    toUInt32(length(s.partitions) - length(known_lags)) AS unknown_partitions
FROM stocks.job_status AS s FINAL
WHERE s.should_run OR s.reported_at > now() - INTERVAL 1 DAY
