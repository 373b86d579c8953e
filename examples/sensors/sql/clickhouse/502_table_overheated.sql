-- One row per time in which a sensor was too hot. Read it with FINAL.
CREATE TABLE IF NOT EXISTS sensors.overheated
(
    sensor LowCardinality(String),
    started_at DateTime64(3, 'UTC'),
    ended_at DateTime64(3, 'UTC'),
    highest Float64,
    first_partition Int32,
    first_offset Int64
)
ENGINE = ReplacingMergeTree
ORDER BY (sensor, started_at, first_partition, first_offset)
