-- One row per record of the topic that is a JSON object. Its fields are still text, so that none is rounded when it is
-- read.
CREATE TEMPORARY TABLE raw_ticks
(
    symbol STRING,
    price STRING,
    volume STRING,
    `timestamp` STRING,
    kafka_partition INT METADATA FROM 'partition' VIRTUAL,
    kafka_offset BIGINT METADATA FROM 'offset' VIRTUAL,
    kafka_timestamp TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL
)
WITH (
    'connector' = 'kafka',
    'topic' = '${KAFKA_TOPIC}',
    'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}',
    'properties.group.id' = 'millrace-stocks',
    -- No records of an open or aborted transaction. Kafka's own default is to read them, but the runner adds this
    -- option to a source that does not set it.
    'properties.isolation.level' = 'read_committed',
    -- Partitions that are added while the job runs are read after this time at the latest.
    'scan.topic-partition-discovery.interval' = '10 s',
    -- Retry an unavailable broker every two seconds; the defaults fill the log with attempts.
    'properties.metadata.recovery.strategy' = 'none',
    'properties.reconnect.backoff.max.ms' = '2000',
    -- A job without saved state begins here; the sink leaves out the records that are stored already.
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'json',
    -- A record that is no JSON is left out here: it becomes a dead letter, as an offset that no table has.
    'json.ignore-parse-errors' = 'true'
)
