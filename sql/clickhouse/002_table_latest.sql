-- One row per symbol: its newest tick, and the first, lowest and highest price of that day (UTC). Read it with FINAL.
CREATE TABLE IF NOT EXISTS stocks.latest -- noqa: PRS
(
    symbol LowCardinality(String) COMMENT 'What was traded',
    -- Each column keeps the greatest tuple, so a batch that is stored again changes nothing. The day comes first if
    -- only the newest day counts; a value is negated if the smallest one is wanted.
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
    -- A batch that is sent again is added here if the view failed the first time, and left out otherwise.
    non_replicated_deduplication_window = 1000,
    -- A small part is one file, as in stocks.ticks.
    min_rows_for_full_part_storage = 10000,
    -- As in stocks.ticks: a merge on a full disk makes no empty part.
    min_rows_to_fsync_after_merge = 1,
    -- Parts older than this many seconds are merged into one: FINAL reads few parts faster.
    min_age_to_force_merge_seconds = 5
