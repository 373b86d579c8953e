"""The Kafka topics of a case, with its records, which exist while it runs."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from jobs.job import Job
from jobs.kafka import sources, temporary_topics
from jobs.kafka.temporary_topics import Record
from jobs.sql_tests.cases import INPUT, Case
from lib.errors import SqlTestError
from lib.files import show


@contextmanager
def filled(servers: str, case: Case, job: Job) -> Iterator[Mapping[str, str]]:
    """The topic in the place of each that the job reads; raise SqlTestError if the files of a case
    are not those of its sources."""
    records = _by_topic(case, job)
    names = {topic: f"test-{secrets.token_hex(6)}" for topic in records}
    with temporary_topics.made(servers, [*names.values()], case.options.partitions):
        for topic, name in names.items():
            temporary_topics.fill(servers, name, records[topic])
        yield names


def _by_topic(case: Case, job: Job) -> dict[str, Sequence[Record]]:
    """The records of each topic that a source of the job reads."""
    topics = {file.name: file.topics for file in job.files if sources.is_source(file)}
    for name, each in topics.items():
        if len(each) > 1:
            raise SqlTestError(
                f"{show(case.folder)}: source {name} of job {job.name} reads several topics; a "
                "case takes sources of one."
            )
    given = dict(case.inputs)
    if "" in given and len(topics) == 1:
        given[next(iter(topics))] = given.pop("")
    if given.keys() - topics.keys():
        raise SqlTestError(
            f"{show(case.folder)}: the sources of job {job.name} are {', '.join(topics)}; write "
            + (f"{INPUT}.ndjson." if len(topics) == 1 else "<source>.ndjson for each.")
        )
    records: dict[str, Sequence[Record]] = {}
    for name, each in topics.items():
        for topic in each:
            if records.get(topic) and name in given:
                raise SqlTestError(
                    f"{show(case.folder)}: {name}.ndjson is a second file for topic {topic}; write "
                    "all of its records into one."
                )
            records[topic] = given.get(name) or records.get(topic, ())
    return records
