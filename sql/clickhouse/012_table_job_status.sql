-- One row per job, which says itself whether it should run: from when it first runs until it is stopped on request.
ALTER TABLE stocks.job_status
ADD COLUMN IF NOT EXISTS should_run Bool DEFAULT state NOT IN ('STARTING', 'STOPPED', 'FAILED')
COMMENT 'It ran, and was not stopped on request since' -- noqa: PRS
