-- One row of sensors.readings per valid record, and one of stocks.dead_letters per record that is none, each once.
INSERT INTO inserted
SELECT
    clickhouse_insert(
        'sensors.readings (sensor, temperature, event_time, kafka_partition, kafka_offset, kafka_timestamp)
        ELSE stocks.dead_letters (reason)',
        sensor,
        temperature,
        event_time,
        kafka_partition,
        kafka_offset,
        kafka_timestamp,
        reason
    ) AS stored
FROM checked_readings
