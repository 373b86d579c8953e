-- One row per symbol of the ticks that were stored before the view was there.
INSERT INTO stocks.latest (symbol, last, first, low, high)
SELECT
    symbol,
    max((timestamp, kafka_offset, price, volume)) AS last,
    max((toDate32(timestamp), -toUnixTimestamp64Micro(timestamp), -kafka_offset, price)) AS first,
    max((toDate32(timestamp), -price)) AS low,
    max((toDate32(timestamp), price)) AS high
FROM stocks.ticks
GROUP BY symbol
