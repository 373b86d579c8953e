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
    -- `volume: 12.7 is not a whole number` names field, value and rule: the rule begins at the last ` is `, because the
    -- value may be any text. Other reasons are free text, in which values are numbers or in quotes.
    if(
        stage = 'rule' AND match(reason, '^\\w+: (?s:.*) is '),
        replaceRegexpOne(reason, '^(\\w+): (?s:.*) is ', '\\1: … is '),
        replaceRegexpAll(
            reason,
            '\'[^\']*\'|"[^"]*"|[-+]?\\b[0-9]+(?:[.,:TeE+-]*[0-9]+)*\\b',
            '…'
        )
    ) AS kind
FROM stocks.dead_letters FINAL
