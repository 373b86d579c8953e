-- One row per record of the topic of orders.
CREATE TEMPORARY TABLE raw_orders
(
    id BIGINT,
    customer STRING,
    amount DECIMAL(18, 4),
    items ARRAY<STRING>,
    discount DOUBLE,
    note STRING,
    is_paid BOOLEAN,
    due DATE,
    key STRING,
    address STRING,
    total DECIMAL(38, 0),
    origin ROW<city STRING, weight DOUBLE>,
    -- A JSON object and a JSON array of arrays, as they stand in the record.
    tags STRING,
    legs STRING,
    kafka_partition INT METADATA FROM 'partition' VIRTUAL,
    kafka_offset BIGINT METADATA FROM 'offset' VIRTUAL,
    kafka_timestamp TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL
)
WITH (
    'connector' = 'kafka',
    'topic' = '${KAFKA_TOPIC}',
    'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'json'
)
