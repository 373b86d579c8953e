-- Every paid order goes to orders.orders, once.
INSERT INTO inserted
SELECT
    clickhouse_insert(
        'orders.orders (id, customer, amount, items, discount, `note, if any`, due, key, address, total, tags, origin, legs,
        kafka_partition, kafka_offset, kafka_timestamp)',
        id,
        customer,
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
    ) AS stored
FROM paid_orders
