-- One row per paid order.
CREATE TABLE IF NOT EXISTS orders.orders
(
    id UInt64,
    customer LowCardinality(String),
    amount Decimal(18, 4),
    items Array(String),
    discount Nullable(Float64),
    `note, if any` Nullable(String),
    due Date32,
    key UUID,
    address IPv6,
    total Int128,
    tags Map(String, Int64),
    origin Tuple(city String, `weight/kg` Nullable(Float64)),
    legs Array(Tuple(LowCardinality(String), UInt8)),
    kafka_partition Int32,
    kafka_offset Int64,
    kafka_timestamp DateTime64(3, 'UTC'),
    inserted_by LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (customer, id, kafka_partition, kafka_offset)
