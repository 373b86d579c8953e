-- One row per part of the pipeline that ClickHouse can tell of: whether it has data, and how old the newest is.
SELECT
    'ticks' AS part,
    if(count() = 0, 'empty', 'up') AS status,
    if(count() = 0, NULL, max(timestamp)) AS newest,
    if(count() = 0, NULL, dateDiff('millisecond', max(timestamp), now64(3, 'UTC')) / 1000) AS age_seconds
FROM stocks.ticks
