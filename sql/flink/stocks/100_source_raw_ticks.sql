-- One row per record of the topic, its fields still as text, so that none is rounded or refused on the way in.
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
    -- No records of a transaction that was aborted or is open. Without this line it is the same: Kafka's own default
    -- is to read them, but the runner adds this one to a source that names none.
    'properties.isolation.level' = 'read_committed',
    -- Partitions that are added while the job runs are seen within this time.
    'scan.topic-partition-discovery.interval' = '10 s',
    -- A broker that is away is asked again now and then; the default fills the log with its attempts.
    'properties.metadata.recovery.strategy' = 'none',
    'properties.reconnect.backoff.max.ms' = '5000',
    -- Where a job without saved state begins; what is stored already is left out by the sink.
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'json'
)
