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
    kafka_timestamp TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
    -- When it was traded, in milliseconds, for windows and patterns; a text that is no time counts as when it was sent.
    -- These steps cost a tenth of a CAST of the whole text. RTRIM leaves out a zone.
    event_time AS COALESCE(
        TO_TIMESTAMP_LTZ(
            1000 * EXTRACT(EPOCH FROM TRY_CAST(LEFT(`timestamp`, 10) AS DATE))
            + 3600000 * TRY_CAST(SUBSTRING(`timestamp`, 12, 2) AS BIGINT)
            + 60000 * TRY_CAST(SUBSTRING(`timestamp`, 15, 2) AS BIGINT)
            + 1000 * TRY_CAST(SUBSTRING(`timestamp`, 18, 2) AS BIGINT)
            + CAST(1000 * TRY_CAST('0' || RTRIM(SUBSTRING(`timestamp`, 20, 4), 'Z+0:') AS DOUBLE) + 0.5 AS BIGINT),
            3
        ),
        kafka_timestamp
    ),
    -- Windows and patterns see ticks up to this much older than the newest of their partition. A tick from the future
    -- makes no other late.
    WATERMARK FOR event_time AS LEAST(event_time, kafka_timestamp) - INTERVAL '${TICKS_LATENESS}' SECOND(3)
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
    -- Read the partitions by turns, in small steps. By default a step is 1 MB: while a backlog is read, the partitions
    -- that wait for their turn could pass for idle, and then their ticks for late.
    'properties.max.partition.fetch.bytes' = '65536',
    -- A job without saved state begins here; the sink leaves out the records that are stored already.
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'json',
    -- A record that is no JSON is left out here: it becomes a dead letter, as an offset that no table has.
    'json.ignore-parse-errors' = 'true'
)
