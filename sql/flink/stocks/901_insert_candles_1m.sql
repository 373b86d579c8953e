-- One row of stocks.candles_1m per change of a candle: the newest replaces the others.
INSERT INTO inserted
SELECT
    clickhouse_insert(
        'stocks.candles_1m (symbol, start, open, high, low, close, volume, trades)',
        symbol,
        `start`,
        `open`,
        high,
        low,
        `close`,
        volume,
        trades
    ) AS stored
FROM candles
