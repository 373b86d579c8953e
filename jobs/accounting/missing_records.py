"""Reads the records at missing offsets from Kafka; an offset may hold none, or be deleted."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient

from jobs.accounting import offsets
from jobs.accounting.offsets import Offsets
from lib import kafka
from lib.errors import UnavailableError
from lib.kafka import Partition, Record, Span

# How many records between two wanted ones are read and passed over: a separate read of the second
# takes 5 ms, in which 250 records are read.
NEAR = 250

# The most records of one read, and how long it may take, in seconds.
STRIDE = 50_000
LIMIT = 60.0


class MissingRecords:
    """A reader of a job's topics in Kafka; `opened` makes one."""

    def __init__(self, servers: str, committed: bool, opened: ExitStack) -> None:
        self._servers = servers
        self._committed = committed
        self._opened = opened
        self._admin: KafkaAdminClient | None = None
        self._consumer: KafkaConsumer | None = None

    def spans(self, topic: str) -> dict[int, Span]:
        """The offsets that each partition holds now."""
        # Opened before the consumer, whose errors it also turns into ServiceError.
        self._admin = self._admin or self._opened.enter_context(kafka.admin(self._servers))
        held = kafka.spans(self._admin, [topic], self._committed)
        return {partition: span for (_, partition), span in held.items()}

    def read(self, partition: Partition, wanted: Offsets) -> Iterator[Record]:
        """Yield the records at these offsets, which are ascending and not deleted.

        An offset that is passed over holds no record: the end of a transaction, an aborted or a
        compacted record. Raise UnavailableError if Kafka does not answer within LIMIT."""
        if not self._consumer:
            reader = kafka.reader(self._servers, self._committed)
            self._consumer = self._opened.enter_context(reader)
        is_wanted = set(wanted.tolist())
        for near in offsets.joined(offsets.spans(wanted), NEAR):
            for span in offsets.split(near, STRIDE):
                for record in kafka.records(self._consumer, partition, span, LIMIT):
                    if record.offset in is_wanted:
                        yield record
                _check_read(self._consumer, partition, span.end)


@contextmanager
def opened(servers: str, committed: bool) -> Iterator[MissingRecords]:
    """Read from these servers; a connection is made when it is needed. Kafka's errors are raised as
    ServiceError."""
    with ExitStack() as stack:
        yield MissingRecords(servers, committed, stack)


def _check_read(consumer: KafkaConsumer, partition: Partition, end: int) -> None:
    position = consumer.position(TopicPartition(*partition))
    if position < end:
        topic, number = partition
        raise UnavailableError(
            f"topic {topic}, partition {number}: Kafka sent nothing from offset {position} on "
            f"within {LIMIT:.0f} s; see its log."
        )
