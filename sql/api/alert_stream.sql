-- One row per alert, as soon as it is stored; one that is raised again after a failure is not sent again.
-- @stream place by table_id key symbol as symbols
-- @event alert in stream
-- @param symbols = [] [..100] /${TICKS_SYMBOL_PATTERN}/: Only those of these; without any, all.
SELECT
    rule,
    symbol,
    started_at,
    ended_at,
    severity,
    CAST(details, 'JSON') AS details,
    message,
    -- A table that a backup has restored counts its inserts from the beginning.
    (
        SELECT toString(t.uuid)
        FROM system.tables AS t
        WHERE t.database = 'stocks' AND t.name = 'alerts'
    ) AS table_id,
    -- Its place in the order of the inserts, and in the rows of one.
    toInt64(_block_number * 1048576 + _block_offset) AS place
FROM stocks.alerts FINAL
WHERE inserted_at >= now64(3, 'UTC') - toIntervalSecond({window:UInt32})
