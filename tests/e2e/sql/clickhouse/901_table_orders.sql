-- One row per paid order.
CREATE TABLE IF NOT EXISTS orders.orders
(
    id UInt64,
    customer LowCardinality(String),
    amount Decimal(18, 4),
    items Array(String),
    discount Nullable(Float64),
    note Nullable(String),
    due Date32,
    kafka_partition Int32,
    kafka_offset Int64,
    kafka_timestamp DateTime64(3, 'UTC'),
    inserted_by LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (customer, id, kafka_partition, kafka_offset)
