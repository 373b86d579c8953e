"""The Kafka topic of a replay: the records of its dead letters, in their order, from offset 0."""

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.client import Client

from jobs.dead_letters.staging import Staging
from jobs.kafka import temporary_topics
from jobs.kafka.temporary_topics import Record
from lib.errors import ServiceError

# A block is held in memory, in bytes.
_BLOCK_BYTES = 8 * 2**20


@contextmanager
def filled(servers: str, name: str, client: Client, staging: Staging) -> Iterator[str]:
    """Make the topic with the records of a replay, and delete it afterwards; raise ServiceError if
    Kafka refuses."""
    with temporary_topics.made(servers, [name]):
        end = temporary_topics.fill(servers, name, _records(client, staging))
        if end != staging.count:
            raise ServiceError(
                f"topic {name}: has {end} records, not {staging.count}; replay again."
            )
        yield name


def _records(client: Client, staging: Staging) -> Iterator[Record]:
    with client.query_rows_stream(
        "SELECT `key`, value, toUnixTimestamp64Milli(kafka_timestamp)"
        f" FROM {staging.letters} ORDER BY number",
        query_formats={"String": "bytes"},
        settings={"max_block_size": 1_000, "preferred_block_size_bytes": _BLOCK_BYTES},
    ) as rows:
        for key, value, time in rows:
            yield Record(key, value, timestamp=max(time, 0))
