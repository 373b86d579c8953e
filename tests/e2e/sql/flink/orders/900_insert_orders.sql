-- Every paid order goes to orders.orders, once.
INSERT INTO inserted
SELECT
    clickhouse_insert(
        'orders.orders (id, customer, amount, items, discount, note, due, kafka_partition, kafka_offset)',
        id,
        customer,
        amount,
        items,
        discount,
        note,
        due,
        kafka_partition,
        kafka_offset
    ) AS stored
FROM paid_orders
