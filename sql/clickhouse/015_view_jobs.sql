-- One row per job that should run, or reported within a day: the last report of its runner, and what it means now.
CREATE OR REPLACE VIEW stocks.jobs AS
SELECT
    s.job,
    s.run_id,
    s.reported_at,
    s.message,
    s.notice,
    s.records_per_second,
    s.rows_per_second,
    s.checkpointed_at,
    s.partitions,
    s.uncollected,
    s.lost,
    dateDiff('millisecond', s.reported_at, now64(3, 'UTC')) / 1000 AS age_seconds,
    -- A runner reports every second.
    age_seconds < 10 AS is_heard,
    s.state IN ('STOPPED', 'FAILED') AS has_ended,
    -- The runner works on the job, whatever state the job is in.
    is_heard AND NOT has_ended AS is_alive,
    s.state = 'RUNNING' AND is_heard AS is_running,
    -- A job has a message only if something is wrong.
    is_running AND s.message = '' AS is_up,
    if(is_heard OR has_ended, s.state, 'LOST') AS state,
    -- A job that never ran, because it was refused at its start perhaps, is not expected once its runner has ended.
    s.should_run OR is_alive AS should_run,
    multiIf(
        is_up, 'up',
        NOT should_run, 'stopped',
        s.state = 'STARTING' AND is_heard, 'starting',
        'down'
    ) AS status,
    arrayFilter(lag -> lag IS NOT NULL, s.partitions.lag) AS known_lags,
    -- The sum over the partitions whose lag is known.
    if(empty(known_lags), NULL, toFloat64(arrayReduce('sum', known_lags))) AS lag,
    toUInt32(length(s.partitions) - length(known_lags)) AS unknown_partitions
FROM stocks.job_status AS s FINAL
WHERE s.should_run OR s.reported_at > now() - INTERVAL 1 DAY
