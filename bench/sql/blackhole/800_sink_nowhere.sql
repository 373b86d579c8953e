-- One row per record that the stock job would store: nothing is kept of it.
CREATE TEMPORARY TABLE nowhere
(
    symbol STRING,
    price DOUBLE,
    volume BIGINT,
    `timestamp` STRING,
    kafka_partition INT,
    kafka_offset BIGINT,
    kafka_timestamp TIMESTAMP_LTZ(3),
    is_late BOOLEAN,
    reason STRING
)
WITH (
    'connector' = 'blackhole'
)
