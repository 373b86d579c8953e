-- One row per symbol of each batch that is inserted into stocks.ticks, for stocks.latest.
CREATE MATERIALIZED VIEW IF NOT EXISTS stocks.latest_of_ticks TO stocks.latest AS
SELECT
    symbol,
    max((timestamp, kafka_offset, price, volume)) AS last,
    max((toDate32(timestamp), -toUnixTimestamp64Micro(timestamp), -kafka_offset, price)) AS first,
    max((toDate32(timestamp), -price)) AS low,
    max((toDate32(timestamp), price)) AS high
FROM stocks.ticks
GROUP BY symbol
