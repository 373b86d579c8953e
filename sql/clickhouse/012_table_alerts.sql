-- One row per alert: a rule that was met by the ticks of a symbol. Read it with FINAL.
CREATE TABLE IF NOT EXISTS stocks.alerts -- noqa: PRS
(
    rule LowCardinality(String) COMMENT 'The view of the rule in sql/flink/',
    symbol LowCardinality(String) COMMENT 'Whose ticks met it',
    started_at DateTime64(3, 'UTC') COMMENT 'When what it reports began, in the time of the ticks',
    ended_at DateTime64(3, 'UTC') COMMENT 'When it was complete, in the time of the ticks',
    severity LowCardinality(String) COMMENT 'info, warning or critical',
    details String COMMENT 'Its values, as a JSON object',
    message String COMMENT 'A sentence for people',
    inserted_by LowCardinality(String) COMMENT 'The writer: job/name',
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse began the insert',
    version UInt64 DEFAULT bitNot(toUInt64(toUnixTimestamp64Milli(inserted_at)))
    COMMENT 'Less for each later insert: an alert keeps its first row, which the stream has sent',
    -- Queries for the newest rows cost the same however many alerts there are.
    INDEX inserted_at inserted_at TYPE minmax GRANULARITY 1
)
-- A rule raises at most one alert per symbol and moment. One that is raised again after a failure is the same row.
ENGINE = ReplacingMergeTree(version)
ORDER BY (rule, symbol, ended_at)
SETTINGS
    -- The order of the inserts and of the rows of each, which the stream follows.
    enable_block_number_column = 1,
    enable_block_offset_column = 1,
    -- A small part is one file, as in stocks.ticks.
    min_rows_for_full_part_storage = 10000,
    -- As in stocks.ticks: a merge on a full disk makes no empty part.
    min_rows_to_fsync_after_merge = 1
