-- A column of stocks.ticks: whether a tick came too late for windows and patterns.
ALTER TABLE stocks.ticks
ADD COLUMN IF NOT EXISTS is_late Bool DEFAULT FALSE
COMMENT 'The watermark of its partition had passed it when it was read: a window or pattern may have ended without it', -- noqa: PRS
-- There are few late ticks: a query for them skips all other granules.
ADD INDEX IF NOT EXISTS is_late is_late TYPE set(2) GRANULARITY 1
