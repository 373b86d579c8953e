-- One row per record that is a JSON object: its reading, and the reason if it is not valid (NULL: it is).
CREATE TEMPORARY VIEW checked_readings AS
SELECT
    sensor,
    temperature,
    event_time,
    kafka_partition,
    kafka_offset,
    kafka_timestamp,
    CASE
        WHEN sensor IS NULL THEN 'sensor: missing'
        WHEN temperature IS NULL THEN 'temperature: missing, or no number'
        WHEN NOT temperature BETWEEN -100 AND 1000
            THEN 'temperature: ''' || CAST(temperature AS STRING) || ''' is not one of this world'
    END AS reason
FROM raw_readings
