-- One row per writer and partition: how far each record is known to be stored or a dead letter. Read it with FINAL.
CREATE TABLE IF NOT EXISTS stocks.collected_offsets
(
    writer LowCardinality(String) COMMENT 'The insert of a job: job/name',
    topic LowCardinality(String) COMMENT 'Name of the topic',
    topic_id UUID COMMENT 'Id of the topic; one that is created again has another',
    kafka_partition Int32 COMMENT 'Partition of the topic',
    collected_from Int64 COMMENT 'The first record that the writer was to read',
    collected_to Int64 COMMENT 'Each record from there up to, not with, this offset is accounted for',
    -- noqa: disable=CP01
    lost Array(Tuple(first_offset Int64, last_offset Int64)) COMMENT 'Offsets that Kafka deleted before they were read',
    updated_at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'When this row was written'
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY (writer, topic_id, kafka_partition)
SETTINGS
    -- A small part is one file, as in stocks.ticks.
    min_rows_for_full_part_storage = 10000,
    -- As in stocks.ticks: a merge on a full disk makes no empty part.
    min_rows_to_fsync_after_merge = 1
