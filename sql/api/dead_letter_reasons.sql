-- One row per stage and kind of reason, the most frequent first: the number of its dead letters, the times of the first
-- and the last, and the newest as an example. The kind is the reason without the values in it.
-- @param topic = null: Only of this topic.
-- @param from = null: Only records with this Kafka timestamp or a later one.
-- @param to = null: Only records with an earlier Kafka timestamp.
-- @param replayed = false: Those that a replay has stored (true), that it has not (false), or all (null).
-- @page dead_letters desc, stage, kind
SELECT
    k.stage,
    k.kind,
    toUInt32(count()) AS dead_letters,
    min(k.kafka_timestamp) AS first,
    max(k.kafka_timestamp) AS last,
    CAST(
        argMax((k.topic, k.kafka_partition, k.kafka_offset, k.reason), (k.kafka_timestamp, k.kafka_offset)),
        'Tuple(topic String, kafka_partition Int32, kafka_offset Int64, reason String)'
    ) AS example
FROM stocks.dead_letter_kinds AS k
WHERE
    ({topic:Nullable(String)} IS NULL OR k.topic = {topic:Nullable(String)})
    AND ({from:Nullable(DateTime64(3, 'UTC'))} IS NULL OR k.kafka_timestamp >= {from:Nullable(DateTime64(3, 'UTC'))})
    AND ({to:Nullable(DateTime64(3, 'UTC'))} IS NULL OR k.kafka_timestamp < {to:Nullable(DateTime64(3, 'UTC'))})
    AND ({replayed:Nullable(Bool)} IS NULL OR isNotNull(k.replayed_at) = {replayed:Nullable(Bool)})
GROUP BY k.stage, k.kind
