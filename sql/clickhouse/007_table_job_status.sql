-- One row per job: what its runner has seen of it last. Read it with FINAL.
CREATE TABLE IF NOT EXISTS stocks.job_status -- noqa: PRS
(
    job LowCardinality(String) COMMENT 'The folder under sql/flink/',
    run_id UUID COMMENT 'Of the run in job_runs',
    reported_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the runner said so',
    state LowCardinality(String) COMMENT 'As Flink calls it; STOPPED after a savepoint',
    message String COMMENT 'What is wrong, if anything is',
    records_per_second Nullable(Float64) COMMENT 'Read from Kafka',
    rows_per_second Nullable(Float64) COMMENT 'Stored in ClickHouse',
    checkpointed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the last checkpoint was done',
    partitions Array(Tuple(topic String, partition Int32, lag Nullable(Int64)))
    COMMENT 'Records that Flink has not read yet; NULL: not known'
)
ENGINE = ReplacingMergeTree(reported_at)
ORDER BY job
