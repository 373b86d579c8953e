"""How far a job is behind: what Kafka holds of each partition, held against what Flink has read."""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from kafka import KafkaConsumer, TopicPartition

from lib import kafka
from lib.errors import ServiceError
from lib.kafka import Partition, Span

log = logging.getLogger("millrace.backlog")

# How often Kafka is asked, and how long its answers are good for, in seconds.
EVERY = 1.0
KNOWN_FOR = 8.0

# Flink's figures are read once a second and are up to a second old then: what came to Kafka since
# is no lag of a job that keeps up. In seconds.
FLINK_AGE = 2.0

_NONE = Span(0, 0)

# How long a look for the next record may take, in seconds.
PROBE_LIMIT = 5.0


class Backlog:
    """Asks Kafka again and again in a thread of its own: a broker that hangs makes the lag unknown,
    and does not hold up the runner."""

    def __init__(self, servers: str, topics: Sequence[str], committed: bool) -> None:
        self._servers = servers
        self._topics = topics
        self._committed = committed
        # What is wrong with Kafka; empty if nothing is.
        self.problem = ""
        self._found: deque[tuple[float, dict[Partition, Span]]] = deque(maxlen=8)
        self._positions: Mapping[Partition, int] = {}
        self._stood: Mapping[Partition, int] = {}
        # Offsets that hold no record, as far as is known: ends of transactions, what was aborted.
        self.gaps: dict[Partition, Span] = {}
        # Where the next record is, known of partitions that were looked into.
        self._next: dict[Partition, int] = {}
        self._ended = threading.Event()
        threading.Thread(target=self._ask, name="backlog", daemon=True).start()

    def lags(self, positions: Mapping[Partition, int]) -> dict[Partition, int | None]:
        """How many records of each partition Flink has still to read; None where that is not known.

        `positions` are the offsets that it reads next."""
        self._positions = positions
        return lags(self._earlier(), positions, self.gaps)

    def close(self) -> None:
        """Ask no more."""
        self._ended.set()

    def _earlier(self) -> dict[Partition, Span]:
        """What each partition held when what Flink tells now was counted, or a little before;
        nothing where that is not known."""
        now = time.monotonic()
        fits = (found for at, found in [*self._found] if FLINK_AGE <= now - at < KNOWN_FOR)
        return max(fits, key=lambda found: sum(span.end for span in found.values()), default={})

    def _ask(self) -> None:
        while not self._ended.wait(EVERY):
            try:
                with kafka.admin(self._servers) as client, ExitStack() as opened:
                    consumer = None
                    while not self._ended.wait(EVERY):
                        found = kafka.spans(client, self._topics, self._committed)
                        self._found.append((time.monotonic(), found))
                        self.problem = ""
                        if standing := self._standing(found):
                            consumer = consumer or opened.enter_context(
                                kafka.reader(self._servers, self._committed)
                            )
                            self._probe(consumer, standing)
            except ServiceError as error:
                self.problem = str(error)
            except Exception:
                # A bug in here must not make the lag unknown for the rest of the run.
                log.exception("the lag is not known")

    def _standing(self, found: Mapping[Partition, Span]) -> dict[Partition, Span]:
        """The offsets of each partition of which none was read since the last time, as far as it is
        not known whether they hold a record."""
        positions, before = self._positions, self._stood
        self._stood = positions
        left = {
            partition: Span(self.gaps.get(partition, _NONE).leave(position), found[partition].end)
            for partition, position in positions.items()
            if before.get(partition) == position and partition in found
        }
        return {
            partition: span
            for partition, span in left.items()
            if found[partition].start <= span.start < span.end
            and span.start != self._next.get(partition)
        }

    def _probe(self, consumer: KafkaConsumer, standing: Mapping[Partition, Span]) -> None:
        """Note where the next record of each is, or that there is none."""
        for partition, span in standing.items():
            records = kafka.records(consumer, partition, span, PROBE_LIMIT)
            offset = next((offset for offset, _ in records), None)
            if offset is None:
                offset = consumer.position(TopicPartition(*partition))
            else:
                self._next[partition] = offset
            gap = self.gaps.get(partition)
            start = gap.start if gap and gap.end == span.start else span.start
            self.gaps[partition] = Span(start, min(offset, span.end))


def lags(
    held: Mapping[Partition, Span],
    positions: Mapping[Partition, int],
    gaps: Mapping[Partition, Span],
) -> dict[Partition, int | None]:
    """How many records of each partition are left to read: offsets, without those that are deleted
    and without a gap at their beginning; None where it is not known what was read."""

    def lag(partition: Partition, span: Span) -> int | None:
        if span.start >= span.end:
            return 0
        if partition not in positions:
            return None
        left = gaps.get(partition, _NONE).leave(max(positions[partition], span.start))
        return max(span.end - left, 0)

    return {partition: lag(partition, span) for partition, span in sorted(held.items())}
