-- One row per row given to clickhouse_insert: 1 if it was stored now, 0 if it was stored before.
CREATE TEMPORARY TABLE inserted
(
    stored BIGINT
)
WITH (
    'connector' = 'blackhole'
)
