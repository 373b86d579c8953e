-- One row per time in which a sensor measured more than 80 degrees, three times or more in a row and within a minute.
CREATE TEMPORARY VIEW overheated AS
SELECT *
FROM (
    SELECT
        sensor,
        temperature,
        event_time,
        kafka_partition,
        kafka_offset
    FROM checked_readings
    WHERE reason IS NULL
)
MATCH_RECOGNIZE (
    PARTITION BY sensor
    -- Readings of one moment are in the order in which they were sent.
    ORDER BY event_time, kafka_partition, kafka_offset
    MEASURES
        FIRST(hot.event_time) AS started_at,
        LAST(hot.event_time) AS ended_at,
        MAX(hot.temperature) AS highest,
        -- The first record of an alert, by which it is the same row when it is raised again.
        FIRST(hot.kafka_partition) AS first_partition,
        FIRST(hot.kafka_offset) AS first_offset
    ONE ROW PER MATCH
    AFTER MATCH SKIP PAST LAST ROW
    PATTERN (hot{3,} cool) WITHIN INTERVAL '60' SECOND
    DEFINE
        hot AS hot.temperature > 80,
        cool AS cool.temperature <= 80
)
