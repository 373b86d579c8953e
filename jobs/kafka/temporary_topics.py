"""Topics that exist only while a run reads them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from kafka import KafkaProducer
from kafka.errors import KafkaError

from lib import kafka
from lib.errors import ServiceError, one_line

# The largest record, in bytes: Kafka takes no larger request.
LARGEST = 100_000_000

_CONFIGS = {
    # A record of any age is kept until it is read, with its timestamp.
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
    "message.timestamp.type": "CreateTime",
    "message.timestamp.before.max.ms": str(2**63 - 1),
    "message.timestamp.after.max.ms": str(2**63 - 1),
    "max.message.bytes": str(LARGEST),
}
# The records, and the bytes, after which the producer waits for acknowledgements: the client does
# not bound its buffer.
_GROUP = 2_000
_GROUP_BYTES = 8 * 2**20


class Record(NamedTuple):
    """A record to send; its timestamp is in milliseconds since 1970, by default now."""

    key: bytes | None
    value: bytes | None
    partition: int = 0
    timestamp: int | None = None


@contextmanager
def made(servers: str, names: Sequence[str], partitions: int = 1) -> Iterator[None]:
    """Make the topics, and delete them after the block; raise ServiceError if Kafka refuses."""
    topic = {"num_partitions": partitions, "configs": _CONFIGS}
    with kafka.admin(servers) as admin:
        admin.create_topics(dict.fromkeys(names, topic), wait_for_metadata=True)
    try:
        yield
    finally:
        with kafka.admin(servers) as admin:
            admin.delete_topics([*names])


def drop_abandoned(servers: str, pattern: str) -> None:
    """Delete the topics of runs that were killed; `pattern` is a regular expression."""
    with kafka.admin(servers) as admin:
        names = [name for name in admin.list_topics() if re.fullmatch(pattern, name)]
        if names:
            admin.delete_topics(names)


def fill(servers: str, topic: str, records: Iterable[Record]) -> int:
    """Send the records in their order, and return how many; raise ServiceError if Kafka refuses
    one."""
    count, size, sent, producer = 0, 0, list[Any](), None
    try:
        producer = KafkaProducer(
            bootstrap_servers=servers.split(","),
            enable_idempotence=True,
            acks="all",
            max_request_size=LARGEST,
            linger_ms=5,
            metrics_enabled=False,
        )
        for record in records:
            # The client refuses a record with neither; it is not a row with any key.
            is_empty = record.key is None and record.value is None
            sent.append(
                producer.send(
                    topic,
                    record.value,
                    b"" if is_empty else record.key,
                    partition=record.partition,
                    timestamp_ms=record.timestamp,
                )
            )
            count += 1
            size += len(record.key or b"") + len(record.value or b"")
            if len(sent) >= _GROUP or size >= _GROUP_BYTES:
                _wait(sent)
                size = 0
        _wait(sent)
    except KafkaError as error:
        raise ServiceError(
            f"Kafka at {servers}: topic {topic}: {one_line(error)}; see its log, then try again."
        ) from error
    finally:
        if producer:
            producer.close(timeout=10)
    return count


def _wait(sent: list[Any]) -> None:
    """Wait until Kafka has the records; raise KafkaError if it refuses one."""
    for each in sent:
        each.get(timeout=120)
    sent.clear()
