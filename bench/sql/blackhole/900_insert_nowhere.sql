-- One row per record of the stock job's view: what its insert reads, without the sink.
INSERT INTO nowhere
SELECT
    symbol,
    price,
    volume,
    `timestamp`,
    kafka_partition,
    kafka_offset,
    kafka_timestamp,
    is_late,
    reason
FROM checked_ticks
