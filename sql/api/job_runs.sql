-- One row per run of a job, the newest first: what ran, with its SQL, and how it ended.
-- @param job = null: Only this one.
-- @param limit = 20 [1..1000]: How many rows a page has at most.
-- @page started_at desc, run_id
WITH current_runs AS (
    SELECT run_id
    FROM stocks.jobs
    WHERE is_heard
)

SELECT
    run_id,
    job,
    started_at,
    ended_at,
    -- A runner that was killed could not write how the run ended.
    if(status = 'running' AND run_id NOT IN (SELECT c.run_id FROM current_runs AS c), 'lost', status) AS status,
    message,
    resumed_from,
    files
FROM stocks.job_runs FINAL
WHERE {job:Nullable(String)} IS NULL OR job = {job:Nullable(String)}
