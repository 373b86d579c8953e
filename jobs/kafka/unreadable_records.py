"""Finds a record that Flink could not read: its error has the text of the record, and no offset."""

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, suppress

from kafka import KafkaConsumer

from lib import kafka
from lib.errors import ServiceError
from lib.kafka import Partition, Record, Span

# How long a record is searched, in seconds, and how many offsets of one partition before those of
# the next: in one of them it is near the record read last.
LIMIT = 30.0
STRIDE = 10_000

# How many partitions are named if it is not found.
SHOWN = 10


def locate(
    servers: str,
    topics: Collection[str],
    committed: bool,
    positions: Mapping[Partition, int],
    record: str,
) -> str:
    """Topic, partition and offset of the first record with this text, from the one before the
    positions on; if it is not found within LIMIT, the offsets from which on it must be."""
    left = {partition: Span(max(at - 1, 0), at) for partition, at in positions.items()}
    with suppress(ServiceError), ExitStack() as opened:
        held = kafka.spans(opened.enter_context(kafka.admin(servers)), topics, committed)
        left = {
            # Flink counts a record as read before it has deserialized it.
            partition: Span(max(span.start, positions.get(partition, 0) - 1), span.end)
            for partition, span in sorted(held.items())
        }
        consumer = opened.enter_context(kafka.reader(servers, committed))
        for (topic, number), candidate in _records(consumer, left):
            value = candidate.value
            if value is not None and value.decode(errors="replace") == record:
                return f"{topic}, partition {number}, offset {candidate.offset}"
    if not left:
        return ", ".join(sorted(topics))
    return "; ".join(
        f"{topic}, partition {number}, offset {span.start} or later"
        for (topic, number), span in list(left.items())[:SHOWN]
    )


def _records(
    consumer: KafkaConsumer, left: Mapping[Partition, Span]
) -> Iterator[tuple[Partition, Record]]:
    """The records of the partitions, a STRIDE of each in turn, until LIMIT."""
    deadline = time.monotonic() + LIMIT
    for turn in range(0, max((span.end - span.start for span in left.values()), default=0), STRIDE):
        for partition, span in left.items():
            begin = span.start + turn
            part = Span(begin, min(begin + STRIDE, span.end))
            for record in kafka.records(consumer, partition, part, deadline - time.monotonic()):
                yield partition, record
