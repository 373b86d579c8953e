-- One row per job, with what was deleted from Kafka before this run of it read it.
ALTER TABLE stocks.job_status
ADD COLUMN IF NOT EXISTS lost String
COMMENT 'Offsets that were deleted before they were read; empty: none' -- noqa: PRS
