-- One row per order that was paid.
CREATE TEMPORARY VIEW paid_orders AS
SELECT
    id,
    UPPER(customer) AS customer,
    amount,
    items,
    discount,
    note,
    due,
    key,
    address,
    total,
    tags,
    origin,
    legs,
    kafka_partition,
    kafka_offset,
    kafka_timestamp
FROM raw_orders
WHERE is_paid
