-- One row of stocks.alerts per alert.
INSERT INTO inserted
SELECT
    clickhouse_insert(
        'stocks.alerts (rule, symbol, started_at, ended_at, severity, details, message)',
        alerts.rule,
        alerts.symbol,
        alerts.started_at,
        alerts.ended_at,
        alerts.severity,
        alerts.details,
        alerts.message
    ) AS stored
FROM alerts
-- Without this join, which changes nothing, Flink would call the sink once per rule, each with inserts of its own.
CROSS JOIN UNNEST(ARRAY[alerts.rule]) AS once (copy)
