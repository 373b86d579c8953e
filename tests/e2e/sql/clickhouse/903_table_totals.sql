-- One row per symbol: all of its ticks.
CREATE TABLE IF NOT EXISTS keyed.totals
(
    symbol LowCardinality(String),
    ticks UInt64,
    volume UInt64
)
ENGINE = ReplacingMergeTree(ticks)
ORDER BY symbol
