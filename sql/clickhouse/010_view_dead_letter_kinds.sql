-- One row per dead letter, with the kind of its reason: the reason without its values, by which they are grouped.
CREATE VIEW IF NOT EXISTS stocks.dead_letter_kinds AS
SELECT
    topic,
    kafka_partition,
    kafka_offset,
    kafka_timestamp,
    stage,
    reason,
    inserted_at,
    replayed_at,
    multiIf(
        -- A rule names its field and the value in quotes, which may have quotes in it.
        match(reason, '^\\w+: \''), replaceRegexpOne(reason, '^(\\w+: )\'(?s:.*)\'', '\\1…'),
        startsWith(reason, 'not an object: '), 'not an object: …',
        -- In other reasons values are in quotes, or numbers.
        replaceRegexpAll(
            reason,
            '\'[^\']*\'|"[^"]*"|(^|[\\s(\\[=:,])(?:0x[0-9a-f]+|[-+]?[0-9]+(?:[.,:TeE+-]*[0-9]+)*)\\b',
            '\\1…'
        )
    ) AS kind
FROM stocks.dead_letters FINAL
