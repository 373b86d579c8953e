-- One row per tick, the newest first.
-- @param symbols = [] [..100] /${TICKS_SYMBOL_PATTERN}/: Only these; without any, all.
-- @param from = null: Only ticks of this moment or later.
-- @param to = null: Only ticks before this moment.
-- @page timestamp desc, kafka_partition desc, kafka_offset desc
SELECT
    symbol,
    price,
    volume,
    timestamp,
    kafka_partition,
    kafka_offset
-- FINAL: a record that was stored twice is one tick, even before its parts are merged.
FROM stocks.ticks FINAL
WHERE
    (empty({symbols:Array(String)}) OR symbol IN {symbols:Array(String)})
    AND ({from:Nullable(DateTime64(6, 'UTC'))} IS NULL OR timestamp >= {from:Nullable(DateTime64(6, 'UTC'))})
    AND ({to:Nullable(DateTime64(6, 'UTC'))} IS NULL OR timestamp < {to:Nullable(DateTime64(6, 'UTC'))})
