-- One row per job: the last report of its runner. Read it with FINAL.
CREATE TABLE IF NOT EXISTS stocks.job_status -- noqa: PRS
(
    job LowCardinality(String) COMMENT 'The folder under sql/flink/',
    run_id UUID COMMENT 'The run in job_runs',
    reported_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the runner reported it',
    state LowCardinality(String) COMMENT 'As Flink calls it; STOPPED after a savepoint',
    message String COMMENT 'What is wrong; empty: nothing',
    records_per_second Nullable(Float64) COMMENT 'Read from Kafka',
    rows_per_second Nullable(Float64) COMMENT 'Stored in ClickHouse',
    checkpointed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the last checkpoint was completed',
    partitions Array(Tuple(topic String, partition Int32, lag Nullable(Int64)))
    COMMENT 'Records that Flink has not read yet; NULL: not known',
    uncollected UInt64 COMMENT 'Records below the last checkpoint that are not accounted for yet',
    should_run Bool COMMENT 'It has run, and was not stopped on request since',
    lost String COMMENT 'Offsets that Kafka deleted before this run read them; empty: none'
)
ENGINE = ReplacingMergeTree(reported_at)
ORDER BY job
SETTINGS
    -- A small part is one file, as in stocks.ticks.
    min_rows_for_full_part_storage = 10000,
    -- As in stocks.ticks: a merge on a full disk makes no empty part.
    min_rows_to_fsync_after_merge = 1
