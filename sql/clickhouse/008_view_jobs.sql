-- One row per job that was heard of within a day: what its runner said last, and whether it still speaks.
CREATE VIEW IF NOT EXISTS stocks.jobs AS
SELECT
    s.job,
    s.run_id,
    s.reported_at,
    s.state,
    s.message,
    s.records_per_second,
    s.rows_per_second,
    s.checkpointed_at,
    s.partitions,
    dateDiff('millisecond', s.reported_at, now64(3, 'UTC')) / 1000 AS age_seconds,
    -- A runner says something every second.
    age_seconds < 10 AS is_heard,
    -- Not known as a whole while one part of it is not.
    if(
        empty(s.partitions) OR has(s.partitions.lag, NULL), NULL, toFloat64(arrayReduce('sum', s.partitions.lag))
    ) AS lag
FROM stocks.job_status AS s FINAL
WHERE s.reported_at > now() - INTERVAL 1 DAY
