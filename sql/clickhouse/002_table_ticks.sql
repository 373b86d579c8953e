-- One row per valid tick, which now also says when the sink got it; with an index, so that asking for what came
-- last costs the same however many ticks there are.
ALTER TABLE stocks.ticks
-- When the sink got the row.
ADD COLUMN IF NOT EXISTS received_at DateTime64(3, 'UTC') DEFAULT inserted_at AFTER kafka_timestamp, -- noqa: PRS
ADD INDEX IF NOT EXISTS inserted_at inserted_at TYPE minmax GRANULARITY 1,
MATERIALIZE INDEX inserted_at
