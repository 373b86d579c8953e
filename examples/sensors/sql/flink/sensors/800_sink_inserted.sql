-- One row per row that clickhouse_insert gets: 1 if it was stored now, 0 if it was stored before.
CREATE TEMPORARY TABLE inserted
(
    stored BIGINT
)
WITH (
    'connector' = 'blackhole'
)
