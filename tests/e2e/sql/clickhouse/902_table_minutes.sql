-- One row per symbol and minute.
CREATE TABLE IF NOT EXISTS keyed.minutes
(
    symbol LowCardinality(String),
    minute DateTime('UTC'),
    ticks UInt64,
    volume UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (symbol, minute)
