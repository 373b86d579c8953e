-- One row per dead letter, a record that was not stored as a tick: the newest first, with the reason and the record.
-- Its key and value are in Base64, and as text if they are UTF-8. NULL: the record has none, or has_record is false and
-- they have not been read from Kafka yet.
-- @param topic = null: Only of this topic.
-- @param kafka_partition = null: Only of this partition.
-- @param stage = null: Only of this stage: parse (the source cannot read the record), rule (it breaks a rule of the
--   SQL) or sink (ClickHouse refuses it).
-- @param reason = '': Only those whose reason contains this text, in small or capital letters.
-- @param from = null: Only records with this Kafka timestamp or a later one.
-- @param to = null: Only records with an earlier Kafka timestamp.
-- @param replayed = null: Only those that a replay has stored (true), or has not (false).
-- @param max_size = 10000 [0..100000000]: The most bytes of a key and of a value, and characters of their texts, in
--   a row.
-- @page kafka_timestamp desc, topic, kafka_partition desc, kafka_offset desc
SELECT
    d.topic,
    d.kafka_partition,
    d.kafka_offset,
    d.kafka_timestamp,
    d.stage,
    d.reason,
    if(isValidUTF8(d.key), substringUTF8(d.key, 1, {max_size:UInt32}), NULL) AS key_text,
    base64Encode(substring(d.key, 1, {max_size:UInt32})) AS key_base64,
    toUInt32(length(d.key)) AS key_size,
    if(isValidUTF8(d.value), substringUTF8(d.value, 1, {max_size:UInt32}), NULL) AS value_text,
    base64Encode(substring(d.value, 1, {max_size:UInt32})) AS value_base64,
    toUInt32(length(d.value)) AS value_size,
    d.has_record,
    d.inserted_by,
    d.inserted_at,
    d.replayed_at
FROM stocks.dead_letters AS d FINAL
WHERE
    ({topic:Nullable(String)} IS NULL OR d.topic = {topic:Nullable(String)})
    AND ({kafka_partition:Nullable(Int32)} IS NULL OR d.kafka_partition = {kafka_partition:Nullable(Int32)})
    AND d.stage = coalesce(toString({stage:Nullable(Enum8('parse', 'rule', 'sink'))}), d.stage)
    AND ({reason:String} = '' OR positionCaseInsensitiveUTF8(d.reason, {reason:String}) > 0)
    AND ({from:Nullable(DateTime64(3, 'UTC'))} IS NULL OR d.kafka_timestamp >= {from:Nullable(DateTime64(3, 'UTC'))})
    AND ({to:Nullable(DateTime64(3, 'UTC'))} IS NULL OR d.kafka_timestamp < {to:Nullable(DateTime64(3, 'UTC'))})
    AND ({replayed:Nullable(Bool)} IS NULL OR isNotNull(d.replayed_at) = {replayed:Nullable(Bool)})
