"""The Kafka topic of a replay: the records of its dead letters, in their order, from offset 0."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clickhouse_connect.driver.client import Client
from kafka import KafkaProducer
from kafka.errors import KafkaError

from jobs.dead_letters.staging import Staging
from jobs.kafka import temporary_topics
from lib import kafka
from lib.errors import ServiceError, one_line

# The records, and the bytes, after which the producer waits for acknowledgements: the client does
# not bound its buffer.
GROUP = 2_000
GROUP_BYTES = 8 * 2**20


@contextmanager
def filled(servers: str, name: str, client: Client, staging: Staging) -> Iterator[str]:
    """Make the topic with the records of a replay, and delete it afterwards; raise ServiceError if
    Kafka refuses."""
    with temporary_topics.made(servers, [name]):
        _fill(servers, name, client, staging)
        yield name


def drop_abandoned(servers: str, pattern: str) -> None:
    """Delete the topics of replays that were killed; `pattern` is a regular expression."""
    with kafka.admin(servers) as admin:
        names = [name for name in admin.list_topics() if re.fullmatch(pattern, name)]
        if names:
            admin.delete_topics(names)


def _fill(servers: str, name: str, client: Client, staging: Staging) -> None:
    producer = KafkaProducer(
        bootstrap_servers=servers.split(","),
        enable_idempotence=True,
        acks="all",
        max_request_size=temporary_topics.LARGEST,
        linger_ms=5,
        metrics_enabled=False,
    )
    try:
        end = 0
        for group in _groups(client, staging):
            sent = [
                producer.send(name, value, key, partition=0, timestamp_ms=max(time, 0))
                for key, value, time in group
            ]
            end = sent[-1].get(timeout=120).offset + 1
    except KafkaError as error:
        raise ServiceError(
            f"Kafka at {servers}: topic {name}: {one_line(error)}; see its log, then replay again."
        ) from error
    finally:
        producer.close(timeout=10)
    if end != staging.count:
        raise ServiceError(f"topic {name}: has {end} records, not {staging.count}; replay again.")


def _groups(client: Client, staging: Staging) -> Iterator[list[tuple[Any, Any, int]]]:
    """The records in order, each with key, value and time."""
    group: list[tuple[Any, Any, int]] = []
    size = 0
    # The client refuses a record without key and value; it is not a row with any key.
    with client.query_rows_stream(
        "SELECT if(`key` IS NULL AND value IS NULL, '', `key`), value,"
        f" toUnixTimestamp64Milli(kafka_timestamp) FROM {staging.letters} ORDER BY number",
        query_formats={"String": "bytes"},
        settings={"max_block_size": 1_000, "preferred_block_size_bytes": GROUP_BYTES},
    ) as rows:
        for key, value, time in rows:
            group.append((key, value, time))
            size += len(key or b"") + len(value or b"")
            if len(group) >= GROUP or size >= GROUP_BYTES:
                yield group
                group, size = [], 0
    if group:
        yield group
