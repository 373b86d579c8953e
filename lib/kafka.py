"""Query the Kafka broker: whether it answers, its topics, their offsets and records."""

import logging
import re
import socket
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.errors import KafkaError
from kafka.protocol.consumer.offsets import IsolationLevel

from lib import ports
from lib.errors import ServiceError, SettingsError, UnavailableError, one_line
from lib.waiting import until

Partition = tuple[str, int]


class Span(NamedTuple):
    """Offsets of a partition from `start` up to `end`, which is not included."""

    start: int
    end: int

    def leave(self, offset: int) -> int:
        """The offset, or the end of this span if it contains the offset."""
        return self.end if self.start <= offset < self.end else offset


class Record(NamedTuple):
    """A record as it was received; its timestamp is in milliseconds since 1970."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


# The client logs each failed attempt to connect; the errors below report that once.
logging.getLogger("kafka").setLevel(logging.CRITICAL)

_ADDRESS = re.compile(r"(?P<host>[\w.-]+|\[[\da-fA-F:.]+\]):(?P<port>\d{1,5})", re.ASCII)


@contextmanager
def admin(servers: str) -> Iterator[KafkaAdminClient]:
    """An admin client; raise UnavailableError if no broker answers, ServiceError if one refuses."""
    unavailable = (
        f"Kafka at {servers} does not answer; start it with `make up` "
        "or set kafka.bootstrap_servers."
    )
    # Checked first, because each client that fails to connect leaves file descriptors open.
    if not is_listening(servers):
        raise UnavailableError(unavailable)
    try:
        client = KafkaAdminClient(
            bootstrap_servers=servers.split(","),
            bootstrap_timeout_ms=5_000,
            request_timeout_ms=10_000,
        )
    except KafkaError as error:
        raise UnavailableError(unavailable) from error
    try:
        yield client
    except KafkaError as error:
        raise ServiceError(
            f"Kafka at {servers}: {one_line(error)}; see its log, or set kafka.bootstrap_servers."
        ) from error
    finally:
        client.close()


def is_listening(servers: str) -> bool:
    """Whether anything listens at one of the addresses."""
    return any(_is_listening(address) for address in addresses(servers))


def _is_listening(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, timeout=2):
            return True
    except OSError:
        return False


def addresses(servers: str) -> list[tuple[str, int]]:
    """Hosts and ports of kafka.bootstrap_servers; raise SettingsError for a malformed one."""
    matches = [_ADDRESS.fullmatch(server.strip()) for server in servers.split(",")]
    if not all(matches):
        raise SettingsError(
            f"kafka.bootstrap_servers: {servers!r} is not an address; write host:port[,host:port]."
        )
    return [(match["host"].strip("[]"), int(match["port"])) for match in matches if match]


def wait(servers: str, say: Callable[[str], None], timeout: float) -> None:
    """Return when a broker answers, and report the wait; raise after `timeout` seconds."""
    message = f"waiting for Kafka at {servers}; `make up` starts it"
    until(
        lambda: topics(servers) is not None,
        timeout,
        pause=0.5,
        retry_on=ServiceError,
        waiting=lambda: say(message),
    )


def topics(servers: str) -> set[str]:
    """The names of all topics."""
    with admin(servers) as client:
        return set(client.list_topics())


def topic_ids(servers: str, names: Iterable[str]) -> dict[str, str]:
    """The id of each topic; a topic that is deleted and created again has another id."""
    with admin(servers) as client:
        return {t["name"]: str(t["topic_id"]) for t in client.describe_topics(sorted(set(names)))}


def existing_ids(servers: str, names: Collection[str]) -> dict[str, str]:
    """The id of each topic; raise ServiceError for one that does not exist."""
    if absent := sorted({*names} - topics(servers)):
        raise ServiceError(
            f"Kafka at {servers} has no topic {', '.join(absent)}; set kafka.topic or the topic in "
            "the job's SQL, or run the job, which makes it."
        )
    return topic_ids(servers, names)


def spans(
    client: KafkaAdminClient, names: Collection[str], committed: bool
) -> dict[Partition, Span]:
    """The offsets that each partition holds; if only committed records count, those before the
    first open transaction."""
    places = [
        TopicPartition(topic["name"], partition["partition_index"])
        for topic in client.describe_topics(sorted(names))
        for partition in topic["partitions"]
    ]
    level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
    starts, ends = (
        client.list_partition_offsets(dict.fromkeys(places, spec), isolation_level=level)
        for spec in (OffsetSpec.EARLIEST, OffsetSpec.LATEST)
    )
    return {
        (place.topic, place.partition): Span(starts[place].offset, ends[place].offset)
        for place in places
    }


@contextmanager
def reader(servers: str, committed: bool) -> Iterator[KafkaConsumer]:
    """A consumer without a group; the caller assigns partitions and offsets."""
    consumer = KafkaConsumer(
        bootstrap_servers=servers.split(","),
        group_id=None,
        enable_auto_commit=False,
        # An offset that is deleted before it is read is an error, not a jump to the end.
        auto_offset_reset="none",
        isolation_level="read_committed" if committed else "read_uncommitted",
        request_timeout_ms=10_000,
        # In pure Python the check of a record costs more than all else that is done with it.
        check_crcs=False,
        # At least one batch always comes. A read of one record takes half the time of one with the
        # default of 1 MiB, and a read of many is as fast.
        max_partition_fetch_bytes=64 * 1024,
    )
    try:
        yield consumer
    finally:
        consumer.close()


def records(
    consumer: KafkaConsumer, partition: Partition, span: Span, timeout: float
) -> Iterator[Record]:
    """Yield each record in `span`, for at most `timeout` seconds.

    An offset without a record, as of a transaction's end or of a record that compaction removed, is
    skipped; consumer.position() is where this ended."""
    place, deadline = TopicPartition(*partition), time.monotonic() + timeout
    consumer.assign([place])
    consumer.seek(place, span.start)
    while consumer.position(place) < span.end and time.monotonic() < deadline:
        for record in consumer.poll(timeout_ms=100).get(place, []):
            # A poll may return more.
            if record.offset < span.end:
                yield Record(record.offset, record.timestamp, record.key, record.value)


def is_local(servers: str) -> bool:
    """Whether all brokers are on the loopback interface of this machine."""
    return all(ports.is_loopback(ports.address(*each)) for each in addresses(servers))
