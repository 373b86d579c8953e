-- One row per valid tick: a trade of a symbol at a price.
CREATE TABLE IF NOT EXISTS stocks.ticks
(
    symbol LowCardinality(String) COMMENT 'What was traded',
    price Float64 COMMENT 'Price of one share',
    volume UInt32 COMMENT 'Shares traded',
    timestamp DateTime64(6, 'UTC') COMMENT 'When it was traded',
    kafka_partition Int32 COMMENT 'Where the record came from',
    kafka_offset Int64 COMMENT 'Where in its partition the record stood',
    kafka_timestamp DateTime64(3, 'UTC') COMMENT 'Time of the Kafka record: when its producer sent it',
    inserted_by LowCardinality(String) COMMENT 'The writer: job/name',
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse stored the row',
    -- The highest offset stored of each writer and partition, which a sink reads when it opens: kept in the
    -- part itself, so that it is stored with the rows or not at all, and costs milliseconds at any size.
    PROJECTION high_water_marks
    (
        SELECT
            inserted_by,
            kafka_partition,
            max(kafka_offset)
        GROUP BY inserted_by, kafka_partition
    )
)
-- A record that a writer stored twice all the same has one key, and merges into one.
ENGINE = ReplacingMergeTree
ORDER BY (symbol, timestamp, kafka_partition, kafka_offset, inserted_by)
-- No partitioning: one insert is one part, stored whole or not at all.
SETTINGS
    -- A batch that is sent again after its answer was lost is recognized by its token.
    non_replicated_deduplication_window = 1000,
    deduplicate_merge_projection_mode = 'rebuild'
