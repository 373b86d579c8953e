-- One row per valid reading of a sensor.
CREATE TABLE IF NOT EXISTS sensors.readings
(
    sensor LowCardinality(String),
    temperature Float64,
    event_time DateTime64(3, 'UTC'),
    kafka_partition Int32,
    kafka_offset Int64,
    kafka_timestamp DateTime64(3, 'UTC'),
    inserted_by LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (sensor, event_time, kafka_partition, kafka_offset, inserted_by)
SETTINGS non_replicated_deduplication_window = 1000
