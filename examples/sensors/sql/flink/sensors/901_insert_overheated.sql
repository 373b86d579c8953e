-- One row of sensors.overheated per alert.
INSERT INTO inserted
SELECT
    clickhouse_insert(
        'sensors.overheated (sensor, started_at, ended_at, highest, first_partition, first_offset)',
        sensor,
        started_at,
        ended_at,
        highest,
        first_partition,
        first_offset
    ) AS stored
FROM overheated
