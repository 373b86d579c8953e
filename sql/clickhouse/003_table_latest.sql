-- One row per symbol: its newest tick, and the first, lowest and highest price of that day (UTC). Read it with FINAL.
CREATE TABLE IF NOT EXISTS stocks.latest -- noqa: PRS
(
    symbol LowCardinality(String) COMMENT 'What was traded',
    -- Each is the greatest tuple that came, so that a batch that comes again changes nothing. The day leads where
    -- only the newest day counts; what must be small is negative.
    last SimpleAggregateFunction(
        max, Tuple(timestamp DateTime64(6, 'UTC'), kafka_offset Int64, price Float64, volume UInt32)
    ) COMMENT 'The newest tick',
    first SimpleAggregateFunction(
        max, Tuple(day Date32, minus_timestamp Int64, minus_kafka_offset Int64, price Float64)
    ) COMMENT 'The first tick of the newest day; microseconds since 1970',
    low SimpleAggregateFunction(max, Tuple(day Date32, minus_price Float64)) COMMENT 'Its lowest price',
    high SimpleAggregateFunction(max, Tuple(day Date32, price Float64)) COMMENT 'Its highest price'
)
ENGINE = AggregatingMergeTree
ORDER BY symbol
SETTINGS
    -- A batch that is sent again reaches this table if it did not before.
    non_replicated_deduplication_window = 1000
