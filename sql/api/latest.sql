-- The newest tick of each symbol.
SELECT
    t.symbol,
    argMax(t.price, (t.timestamp, t.kafka_partition, t.kafka_offset)) AS price,
    argMax(t.volume, (t.timestamp, t.kafka_partition, t.kafka_offset)) AS volume,
    max(t.timestamp) AS timestamp
FROM stocks.ticks AS t
GROUP BY t.symbol
ORDER BY t.symbol
