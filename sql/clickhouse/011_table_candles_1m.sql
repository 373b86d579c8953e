-- One row per symbol and minute that has a tick: open, high, low, close of the ticks so far. Read it with FINAL.
CREATE TABLE IF NOT EXISTS stocks.candles_1m -- noqa: PRS
(
    symbol LowCardinality(String) COMMENT 'What was traded',
    start DateTime64(0, 'UTC') COMMENT 'When the minute begins',
    open Float64 COMMENT 'Price of its first tick, by time, then by offset',
    high Float64 COMMENT 'Its highest price',
    low Float64 COMMENT 'Its lowest price',
    close Float64 COMMENT 'Price of its last tick',
    volume UInt64 COMMENT 'Shares traded',
    trades UInt64 COMMENT 'How many ticks it has'
)
-- A candle is written again with each tick that comes, and after a failure: the row with the most ticks is the newest.
ENGINE = ReplacingMergeTree(trades)
ORDER BY (symbol, start)
SETTINGS
    -- A small part is one file, as in stocks.ticks.
    min_rows_for_full_part_storage = 10000,
    -- As in stocks.ticks: a merge on a full disk makes no empty part.
    min_rows_to_fsync_after_merge = 1
