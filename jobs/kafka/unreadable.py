"""Where a record is that Flink could not read: it shows what the record holds, and no place."""

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, suppress

from kafka import KafkaConsumer

from lib import kafka
from lib.errors import ServiceError
from lib.kafka import Partition, Span

# How long a record is looked for, in seconds, and how many offsets of one partition before the next
# has its turn: it is near the one read last in one of them.
LIMIT = 30.0
STRIDE = 10_000

# How many partitions are named where it is not found.
SHOWN = 10


def place(
    servers: str,
    topics: Collection[str],
    committed: bool,
    positions: Mapping[Partition, int],
    record: str,
) -> str:
    """The place of the first record that holds this text, the one before the positions or later; if
    it is not found within LIMIT, the offsets from which on it is."""
    left = {place: Span(max(at - 1, 0), at) for place, at in positions.items()}
    with suppress(ServiceError), ExitStack() as opened:
        held = kafka.spans(opened.enter_context(kafka.admin(servers)), topics, committed)
        left = {
            # Flink counts a record as read before it knows whether it can.
            place: Span(max(span.start, positions.get(place, 0) - 1), span.end)
            for place, span in sorted(held.items())
        }
        consumer = opened.enter_context(kafka.reader(servers, committed))
        for (topic, partition), offset, value in _records(consumer, left):
            if value is not None and value.decode(errors="replace") == record:
                return f"{topic}, partition {partition}, offset {offset}"
    if not left:
        return ", ".join(sorted(topics))
    return "; ".join(
        f"{topic}, partition {partition}, offset {span.start} or later"
        for (topic, partition), span in list(left.items())[:SHOWN]
    )


def _records(
    consumer: KafkaConsumer, left: Mapping[Partition, Span]
) -> Iterator[tuple[Partition, int, bytes | None]]:
    """What the partitions hold, a STRIDE of each in turn, until LIMIT."""
    deadline = time.monotonic() + LIMIT
    for turn in range(0, max((span.end - span.start for span in left.values()), default=0), STRIDE):
        for place, span in left.items():
            begin = span.start + turn
            part = Span(begin, min(begin + STRIDE, span.end))
            for found in kafka.records(consumer, place, part, deadline - time.monotonic()):
                yield place, *found
