-- One row per record of the topic that is a JSON object.
CREATE TEMPORARY TABLE raw_readings
(
    sensor STRING,
    temperature DOUBLE,
    measured_at STRING,
    kafka_partition INT METADATA FROM 'partition' VIRTUAL,
    kafka_offset BIGINT METADATA FROM 'offset' VIRTUAL,
    kafka_timestamp TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
    event_time AS COALESCE(
        TRY_CAST(REPLACE(REPLACE(measured_at, 'T', ' '), 'Z', '') AS TIMESTAMP_LTZ(3)), kafka_timestamp
    ),
    WATERMARK FOR event_time AS LEAST(event_time, kafka_timestamp) - INTERVAL '1' SECOND
)
WITH (
    'connector' = 'kafka',
    'topic' = 'sensors',
    'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'json',
    'json.ignore-parse-errors' = 'true'
)
