-- One row per job with dead letters: how many it has that no replay has stored, and how many of them are of the last
-- minute.
CREATE VIEW IF NOT EXISTS stocks.dead_letter_counts AS
SELECT
    splitByChar('/', writers.writer)[1] AS job,
    toUInt32(sum(writers.waiting)) AS dead_letters,
    toUInt32(sum(writers.recent)) AS dead_letters_last_minute
FROM (
    -- By writer first: a text is split once per writer, not once per row.
    SELECT
        inserted_by AS writer,
        countIf(replayed_at IS NULL) AS waiting,
        countIf(replayed_at IS NULL AND inserted_at >= now64(3, 'UTC') - INTERVAL 1 MINUTE) AS recent
    FROM stocks.dead_letters FINAL
    GROUP BY writer
) AS writers
GROUP BY job
