"""The records that a back-test reads: those of a topic, and those that Kafka has deleted from it
since, as far as a query of ClickHouse has them: sql/history/<job>/<source>.sql.

The query returns kafka_partition, kafka_offset, kafka_timestamp and value, the record's text."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from kafka import TopicPartition
from kafka.errors import KafkaError

from jobs import job as jobs
from jobs.backtest import PURPOSE
from jobs.job import Job
from jobs.kafka import sources, temporary_topics
from jobs.kafka.temporary_topics import Record
from lib import kafka, sql_variables, sqlfiles
from lib.clickhouse_errors import is_about_statement
from lib.errors import JobError, ServiceError, UnavailableError, one_line
from lib.files import show
from lib.kafka import Span
from lib.settings import Settings
from lib.sqlfiles import SqlFile

# Rows are read and records are sent in blocks of this size, in bytes.
_BLOCK_BYTES = 8 * 2**20
# So long may a read of Kafka take until it is repeated, in seconds.
_READ_SECONDS = 60.0


def bounded(
    held: ExitStack, config: Settings, client: Client, job: Job, file: SqlFile, since: int
) -> SqlFile:
    """A source that reads the records since a time, in milliseconds since 1970, and ends. A topic
    that it needs goes with `held`."""
    if len(file.topics) != 1:
        raise JobError(f"{file.place}: reads several topics; a back-test takes a source of one.")
    (topic,) = file.topics
    servers, name = config.kafka.bootstrap_servers, jobs.run_name(PURPOSE, job.name)
    kafka.existing_ids(servers, [topic])
    with kafka.admin(servers) as admin:
        spans = {p: span for (_, p), span in kafka.spans(admin, [topic], committed=True).items()}
    deleted = {p: span.start for p, span in spans.items() if span.start}
    firsts = _offsets(servers, topic, [*spans], since) if deleted else {}
    # Before the first record of a partition, or its end, there may have been others of that time.
    if not any(firsts.get(p, spans[p].end) <= start for p, start in deleted.items()):
        more = {
            "scan.startup.mode": "timestamp",
            "scan.startup.timestamp-millis": str(since),
            "properties.group.id": name,
        }
        return sources.bounded(file, topic, topic, more)
    held.enter_context(temporary_topics.made(servers, [name], len(spans)))
    temporary_topics.fill(servers, name, _stored(config, client, job, file, deleted, since))
    temporary_topics.fill(servers, name, _of_kafka(servers, topic, spans, firsts))
    return sources.bounded(file, topic, name)


def _offsets(servers: str, topic: str, partitions: list[int], since: int) -> dict[int, int]:
    """The first offset of each partition whose record is of this time or later, if there is one."""
    places = {TopicPartition(topic, partition): since for partition in partitions}
    try:
        with kafka.reader(servers, committed=True) as consumer:
            found = consumer.offsets_for_times(places)
    except KafkaError as error:
        raise ServiceError(
            f"Kafka at {servers}: topic {topic}: {one_line(error)}; see its log, then try again."
        ) from error
    return {place.partition: each.offset for place, each in found.items() if each}


def _stored(
    config: Settings, client: Client, job: Job, file: SqlFile, deleted: Mapping[int, int],
    since: int,
) -> Iterator[Record]:  # fmt: skip
    """The records that Kafka has deleted, in their order; raise JobError if no query has them."""
    query = _query(config, job, file)
    before = ", ".join(f"{partition}, {offset}" for partition, offset in deleted.items())
    sql = (
        "SELECT kafka_partition, value, toUnixTimestamp64Milli(toDateTime64(kafka_timestamp, 3))"
        f" FROM (\n{query.text}\n) WHERE kafka_timestamp >= fromUnixTimestamp64Milli({since})"
        f" AND kafka_offset < map({before})[kafka_partition]"
        " ORDER BY kafka_partition, kafka_offset"
    )
    try:
        with client.query_rows_stream(
            sql,
            query_formats={"String": "bytes"},
            settings={"max_block_size": 10_000, "preferred_block_size_bytes": _BLOCK_BYTES},
        ) as rows:
            for partition, value, time in rows:
                yield Record(None, value, partition, max(time, 0))
    except DatabaseError as error:
        if not is_about_statement(error.code, str(error)):
            raise
        raise JobError(
            f"{query.place}: ClickHouse refuses it: {one_line(error)}; fix it."
        ) from error


def _query(config: Settings, job: Job, file: SqlFile) -> SqlFile:
    path = config.sql_dir / "history" / job.name / f"{file.name}.sql"
    if not path.exists():
        raise JobError(
            f"topic {file.topics[0]}: Kafka has deleted records of that time; write {show(path)}, "
            "a query of ClickHouse that returns kafka_partition, kafka_offset, kafka_timestamp and "
            "value, or begin later."
        )
    place = show(path)
    text = sqlfiles.one_statement(place, sqlfiles.content(path))
    query = SqlFile(0, "view", file.name, place, text)
    return sql_variables.substitute(query, config.variables(), sql_variables.CLICKHOUSE)


def _of_kafka(
    servers: str, topic: str, spans: Mapping[int, Span], firsts: Mapping[int, int]
) -> Iterator[Record]:
    """The records that Kafka has, from these offsets on."""
    with kafka.reader(servers, committed=True) as consumer:
        for partition, span in spans.items():
            at = firsts.get(partition, span.end)
            while at < span.end:
                rest = Span(at, span.end)
                for each in kafka.records(consumer, (topic, partition), rest, _READ_SECONDS):
                    yield Record(each.key, each.value, partition, each.timestamp)
                # Offsets without a record are at the end, too.
                before, at = at, consumer.position(TopicPartition(topic, partition))
                if at == before:
                    raise UnavailableError(
                        f"Kafka at {servers} does not hand over {topic} {partition}:{at}; see its "
                        "log, then try again."
                    )
