-- A column of stocks.job_status: what a user should know of a job that is up.
ALTER TABLE stocks.job_status
ADD COLUMN IF NOT EXISTS notice String
COMMENT 'What does not stop the job, but some of its results; empty: nothing' -- noqa: PRS
