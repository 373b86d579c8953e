-- One row per sensor: its newest reading.
SELECT
    sensor,
    argMax(temperature, event_time) AS newest,
    max(event_time) AS measured_at,
    count() AS readings
FROM sensors.readings FINAL
GROUP BY sensor
ORDER BY sensor
