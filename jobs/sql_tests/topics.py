"""The Kafka topics of a case, with its records, which exist while it runs."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from kafka import KafkaProducer
from kafka.errors import KafkaError

from jobs.job import Job
from jobs.kafka import sources, temporary_topics
from jobs.sql_tests.cases import INPUT, Case, Record
from lib.errors import ServiceError, SqlTestError, one_line
from lib.files import show


@contextmanager
def filled(servers: str, case: Case, job: Job) -> Iterator[Mapping[str, str]]:
    """The topic in the place of each that the job reads; raise SqlTestError if the files of a case
    are not those of its sources."""
    records = _by_topic(case, job)
    names = {topic: f"test-{secrets.token_hex(6)}" for topic in records}
    with temporary_topics.made(servers, [*names.values()], case.options.partitions):
        for topic, name in names.items():
            _send(servers, name, records[topic])
        yield names


def _by_topic(case: Case, job: Job) -> dict[str, Sequence[Record]]:
    """The records of each topic that a source of the job reads."""
    topics = {file.name: file.topics for file in job.files if sources.is_source(file)}
    given = dict(case.inputs)
    if "" in given and len(topics) == 1:
        given[next(iter(topics))] = given.pop("")
    if given.keys() - topics.keys():
        raise SqlTestError(
            f"{show(case.folder)}: the sources of job {job.name} are {', '.join(topics)}; write "
            + (f"{INPUT}.ndjson." if len(topics) == 1 else "<source>.ndjson for each.")
        )
    return {topic: given.get(name, ()) for name, each in topics.items() for topic in each}


def _send(servers: str, topic: str, records: Sequence[Record]) -> None:
    producer = KafkaProducer(
        bootstrap_servers=servers.split(","), acks="all", enable_idempotence=True, linger_ms=5
    )
    try:
        sent = [
            producer.send(
                topic,
                record.value,
                # The client refuses a record with neither.
                b"" if record.key is None and record.value is None else record.key,
                partition=record.partition,
                timestamp_ms=record.timestamp,
            )
            for record in records
        ]
        for each in sent:
            each.get(timeout=120)
    except KafkaError as error:
        raise ServiceError(
            f"Kafka at {servers}: topic {topic}: {one_line(error)}; see its log."
        ) from error
    finally:
        producer.close(timeout=10)
