-- One row per valid tick: a trade of a symbol at a price.
CREATE TABLE IF NOT EXISTS stocks.ticks -- noqa: PRS
(
    symbol LowCardinality(String) COMMENT 'What was traded',
    price Float64 COMMENT 'Price of one share',
    volume UInt32 COMMENT 'Shares traded',
    timestamp DateTime64(6, 'UTC') COMMENT 'When it was traded',
    kafka_partition Int32 COMMENT 'Partition of the Kafka record',
    kafka_offset Int64 COMMENT 'Offset of the Kafka record in its partition',
    kafka_timestamp DateTime64(3, 'UTC') COMMENT 'Timestamp of the Kafka record: when its producer sent it',
    received_at DateTime64(3, 'UTC') DEFAULT inserted_at COMMENT 'When the sink received the row',
    inserted_by LowCardinality(String) COMMENT 'The writer: job/name',
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse began the insert',
    -- Queries for the newest rows cost the same however many ticks there are.
    INDEX inserted_at inserted_at TYPE minmax GRANULARITY 1,
    -- So do queries for some offsets, by which each record is accounted for.
    INDEX kafka_offset kafka_offset TYPE minmax GRANULARITY 1,
    -- The highest stored offset of each writer and partition, which a sink reads when it opens. The projection is
    -- part of the same data part as the rows: both are stored or neither, and reading it takes milliseconds at any size.
    PROJECTION high_water_marks
    (
        SELECT
            inserted_by,
            kafka_partition,
            max(kafka_offset)
        GROUP BY inserted_by, kafka_partition
    )
)
-- If a writer stores a record twice, both rows have the same key and merge into one.
ENGINE = ReplacingMergeTree
ORDER BY (symbol, timestamp, kafka_partition, kafka_offset, inserted_by)
-- No PARTITION BY: one insert is one part, stored as a whole or not at all.
SETTINGS
    -- A batch that is sent again after its answer was lost is recognized by its token.
    non_replicated_deduplication_window = 1000,
    deduplicate_merge_projection_mode = 'rebuild',
    -- An engine that can pack a small part (the embedded one can) makes one file of it instead of twenty.
    min_rows_for_full_part_storage = 10000,
    -- Its file is written to the disk after a merge: else the engine makes an empty one when the disk is full.
    min_rows_to_fsync_after_merge = 1
