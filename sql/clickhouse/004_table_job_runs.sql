-- One row per run of a job: what ran, with its SQL, and how it ended. Read it with FINAL.
CREATE TABLE IF NOT EXISTS stocks.job_runs
(
    run_id UUID COMMENT 'Made at each start of the runner',
    job LowCardinality(String) COMMENT 'The folder under sql/flink/',
    started_at DateTime64(3, 'UTC') COMMENT 'When the run started',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the run ended; NULL: it runs, or its runner was killed',
    status LowCardinality(String) COMMENT 'running, stopped or failed',
    message String COMMENT 'Why it failed, and which records were lost',
    resumed_from String COMMENT 'The saved state that it resumed from; empty: it began at the sources',
    files Map(String, String) COMMENT 'Its SQL by file name, with the settings filled in',
    written_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When this row was written'
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY (job, started_at, run_id)
