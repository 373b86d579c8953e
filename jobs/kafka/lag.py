"""How far a job is behind: the records of each partition that Flink has not read yet."""

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

log = logging.getLogger("millrace.lag")

# How often Kafka is asked, and how long its answers are valid, in seconds.
EVERY = 1.0
VALID_FOR = 8.0

# Flink's metrics are read once a second and are up to a second old then: records that came to Kafka
# since are no lag of a job that keeps up. In seconds.
FLINK_AGE = 2.0

_NONE = Span(0, 0)

# How long the search for the next record may take, in seconds.
PROBE_LIMIT = 5.0


class LagMonitor:
    """Asks Kafka each second in a thread of its own: a broker that hangs makes the lag unknown, and
    does not delay the runner."""

    def __init__(self, servers: str, topics: Sequence[str], committed: bool) -> None:
        self._servers = servers
        self._topics = topics
        self._committed = committed
        # What is wrong with Kafka; empty if nothing is.
        self.problem = ""
        self._answers: deque[tuple[float, dict[Partition, Span]]] = deque(maxlen=8)
        self._positions: Mapping[Partition, int] = {}
        self._positions_before: Mapping[Partition, int] = {}
        # Known offsets that hold no record: ends of transactions, aborted and compacted records.
        self.gaps: dict[Partition, Span] = {}
        # Where the next record is, of partitions that were probed.
        self._next: dict[Partition, int] = {}
        self._closed = threading.Event()
        threading.Thread(target=self._run, name="lag", daemon=True).start()

    def lags(self, positions: Mapping[Partition, int]) -> dict[Partition, int | None]:
        """How many records of each partition Flink has still to read; None if that is unknown.

        `positions` are the offsets that it reads next."""
        self._positions = positions
        return lags(self._earlier(), positions, self.gaps)

    def close(self) -> None:
        """Ask no more."""
        self._closed.set()

    def _earlier(self) -> dict[Partition, Span]:
        """What each partition held when Flink's current metrics were counted, or a little before;
        empty if that is unknown."""
        now = time.monotonic()
        fits = (held for at, held in [*self._answers] if FLINK_AGE <= now - at < VALID_FOR)
        return max(fits, key=lambda held: sum(span.end for span in held.values()), default={})

    def _run(self) -> None:
        while not self._closed.wait(EVERY):
            try:
                self._ask()
            except ServiceError as error:
                self.problem = str(error)
            except Exception:
                # A bug in here must not make the lag unknown for the rest of the run.
                log.exception("the lag is unknown")

    def _ask(self) -> None:
        with kafka.admin(self._servers) as client, ExitStack() as opened:
            consumer = None
            while not self._closed.wait(EVERY):
                held = kafka.spans(client, self._topics, self._committed)
                self._answers.append((time.monotonic(), held))
                self.problem = ""
                if idle := self._idle(held):
                    consumer = consumer or opened.enter_context(
                        kafka.reader(self._servers, self._committed)
                    )
                    self._probe(consumer, idle)

    def _idle(self, held: Mapping[Partition, Span]) -> dict[Partition, Span]:
        """The offsets that are left of each partition of which none was read since the last time,
        unless it is known whether they hold a record."""
        positions, before = self._positions, self._positions_before
        self._positions_before = positions
        left = {
            partition: Span(self.gaps.get(partition, _NONE).leave(position), held[partition].end)
            for partition, position in positions.items()
            if before.get(partition) == position and partition in held
        }
        return {
            partition: span
            for partition, span in left.items()
            if held[partition].start <= span.start < span.end
            and span.start != self._next.get(partition)
        }

    def _probe(self, consumer: KafkaConsumer, idle: Mapping[Partition, Span]) -> None:
        """Note where the next record of each is, or that there is none."""
        for partition, span in idle.items():
            records = kafka.records(consumer, partition, span, PROBE_LIMIT)
            offset = next((record.offset for record in records), None)
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
    and without a gap at their beginning; None if it is unknown what was read."""

    def lag(partition: Partition, span: Span) -> int | None:
        if span.start >= span.end:
            return 0
        if partition not in positions:
            return None
        left = gaps.get(partition, _NONE).leave(max(positions[partition], span.start))
        return max(span.end - left, 0)

    return {partition: lag(partition, span) for partition, span in sorted(held.items())}
