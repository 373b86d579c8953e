-- One row per record that is not a valid tick: the record as it was received, and the reason. Read it with FINAL.
CREATE TABLE IF NOT EXISTS stocks.dead_letters -- noqa: PRS
(
    topic LowCardinality(String) COMMENT 'Topic of the Kafka record',
    kafka_partition Int32 COMMENT 'Partition of the Kafka record',
    kafka_offset Int64 COMMENT 'Offset of the Kafka record in its partition',
    kafka_timestamp DateTime64(3, 'UTC') COMMENT 'Timestamp of the Kafka record: when its producer sent it',
    stage LowCardinality(String) COMMENT 'parse: unreadable for the source; rule: a rule of the SQL; sink: ClickHouse',
    reason String COMMENT 'Which field breaks which rule, with the value, or the words of the server',
    -- noqa: disable=CP01
    key Nullable(String) COMMENT 'Key of the Kafka record, as bytes; NULL: it has none',
    value Nullable(String) COMMENT 'Value of the Kafka record, as bytes; NULL: it has none',
    has_record Bool COMMENT 'key and value were read from Kafka; until then both are NULL',
    inserted_by LowCardinality(String) COMMENT 'The writer: job/name',
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse began the insert',
    replayed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When a replay stored it as a tick; NULL: it was not stored',
    version UInt32 COMMENT 'The row with the highest is the one that FINAL reads'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (topic, kafka_partition, kafka_offset)
SETTINGS
    -- A small part is one file, as in stocks.ticks.
    min_rows_for_full_part_storage = 10000,
    -- As in stocks.ticks: a merge on a full disk makes no empty part.
    min_rows_to_fsync_after_merge = 1,
    -- Of a part with a file per column, as one of large values would be, that error is not noticed.
    min_bytes_for_wide_part = 1000000000000
