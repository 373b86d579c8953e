-- One row per job: what it does now, how long the ticks of the last minute took from hop to hop (NULL: not known),
-- how many dead letters it has that no replay has stored, and how many ticks came too late for windows and patterns to
-- see them, in all and of the last minute.
WITH hops AS (
    SELECT
        splitByChar('/', inserted_by)[1] AS job,
        quantilesTDigest(0.5, 0.99)(1000 * toFloat64(kafka_timestamp - timestamp)) AS to_kafka, -- noqa: LT01
        quantilesTDigest(0.5, 0.99)(1000 * toFloat64(received_at - kafka_timestamp)) AS to_flink, -- noqa: LT01
        quantilesTDigest(0.5, 0.99)(1000 * toFloat64(inserted_at - received_at)) AS to_clickhouse -- noqa: LT01
    FROM stocks.ticks
    WHERE inserted_at >= now64(3, 'UTC') - INTERVAL 1 MINUTE
    GROUP BY job
),

late AS (
    SELECT
        splitByChar('/', inserted_by)[1] AS job,
        toUInt32(count()) AS late_ticks,
        toUInt32(countIf(inserted_at >= now64(3, 'UTC') - INTERVAL 1 MINUTE)) AS late_ticks_last_minute
    FROM stocks.ticks
    WHERE is_late
    GROUP BY job
)

SELECT
    -- Of three tables joined, ClickHouse would call it s.job.
    s.job AS job, -- noqa: AL09
    s.state,
    s.message,
    if(s.is_running, s.notice, '') AS notice,
    s.lost,
    s.reported_at,
    s.age_seconds,
    if(s.is_running, s.records_per_second, NULL) AS records_per_second,
    if(s.is_running, s.rows_per_second, NULL) AS rows_per_second,
    dateDiff('millisecond', s.checkpointed_at, now64(3, 'UTC')) / 1000 AS checkpoint_age_seconds,
    -- The sum over the partitions whose lag is known.
    if(s.is_running, s.lag, NULL) AS lag,
    if(s.is_running, s.unknown_partitions, NULL) AS unknown_partitions,
    -- Below the last checkpoint, and neither known to be stored nor a dead letter yet.
    if(s.is_running, toFloat64(s.uncollected), NULL) AS uncollected,
    CAST(
        if(s.is_running, s.partitions, []),
        'Array(Tuple(topic String, partition Int32, lag Nullable(Float64)))'
    ) AS partitions,
    CAST(
        if(
            empty(h.to_kafka), [],
            [
                ('event to Kafka', h.to_kafka[1], h.to_kafka[2]),
                ('Kafka to Flink', h.to_flink[1], h.to_flink[2]),
                ('Flink to ClickHouse', h.to_clickhouse[1], h.to_clickhouse[2])
            ]
        ),
        'Array(Tuple(hop String, p50_ms Nullable(Float64), p99_ms Nullable(Float64)))'
    ) AS hops,
    d.dead_letters,
    d.dead_letters_last_minute,
    t.late_ticks,
    t.late_ticks_last_minute
FROM stocks.jobs AS s
LEFT JOIN hops AS h ON s.job = h.job
LEFT JOIN stocks.dead_letter_counts AS d ON s.job = d.job
LEFT JOIN late AS t ON s.job = t.job
ORDER BY s.job
