"""Send ticks to Kafka: idempotent, with bounded memory and a count of every outcome."""

from collections.abc import Callable
from contextlib import suppress

from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from lib import kafka as broker
from lib import settings, topics
from lib.errors import ServiceError, one_line
from producer.clock import Clock
from producer.counts import Counts
from producer.pace import Reminder
from producer.tick import Tick

# Sending waits at so many ticks without an outcome: kafka-python does not bound its buffer.
BUFFER = 10_000
# How often a wait looks again, in seconds.
POLL = 0.005
# The wait for outcomes after a signal: below the 10 s after which supervisors kill.
GRACE = 8.0
# How long an attempt to connect may take; a signal waits for its end.
ATTEMPT_MS = 2_000
# The pause between two attempts, in seconds.
PAUSE = 0.5

PROMISES = {
    # Retries are neither duplicates nor out of order within a key.
    "enable_idempotence": True,
    "acks": "all",
    "max_in_flight_requests_per_connection": 5,
    # A day, in effect for ever: a tick waits while the broker is unavailable, and is never dropped.
    "delivery_timeout_ms": 86_400_000,
    # The connection to a frozen broker is closed after this, and the batch is sent again.
    "request_timeout_ms": 15_000,
    "reconnect_backoff_max_ms": 2_000,
}
SPEED = {
    "linger_ms": 5,
    "batch_size": 65_536,
    # kafka-python computes checksums in pure Python: a fifth of the bytes takes half of the time.
    "compression_type": "gzip",
    "metrics_enabled": False,
}


class Sender:
    """A connected producer for one topic."""

    def __init__(self, producer: KafkaProducer, kafka: settings.Kafka, clock: Clock) -> None:
        self.counts = Counts()
        self._producer, self._kafka, self._clock = producer, kafka, clock

    def send(self, tick: Tick) -> None:
        """Give a tick to the client when there is room; do nothing if a signal ends the wait."""
        while self.counts.waiting >= BUFFER and not self._clock.stopped:
            self._clock.sleep(POLL)
        while not self._clock.stopped:
            try:
                key, value = tick.symbol.encode(), tick.message()
                future = self._producer.send(self._kafka.topic, value, key)
            except KafkaError:
                # Nothing is buffered: the client has no metadata of the topic at the moment.
                check_topic(self._kafka)
                continue
            self.counts.sent += 1
            future.add_callback(self._acknowledged).add_errback(self._failed)
            return

    def settle(self) -> None:
        """Wait for every outcome; after a signal no longer than the grace, after two not at all."""
        while self.counts.waiting and not self._clock.stopped:
            self._clock.sleep(POLL)
        end = self._clock.now() + GRACE
        while self.counts.waiting and self._clock.signals < 2 and self._clock.now() < end:
            self._clock.sleep(POLL)

    def close(self) -> None:
        """Close the connection; a tick without an outcome gets none."""
        with suppress(KafkaError):
            self._producer.close(timeout=1)
        # A close that failed would be tried again at exit, and end in a traceback.
        self._producer._closed = True

    def _acknowledged(self, _: object) -> None:
        self.counts.acknowledged += 1

    def _failed(self, error: BaseException) -> None:
        self.counts.failed += 1
        self.counts.error = self.counts.error or one_line(error)


def connect(kafka: settings.Kafka, clock: Clock, say: Callable[[str], None]) -> Sender | None:
    """Wait until Kafka answers and has the topic; None if a signal ends the wait."""
    began, reminder = clock.now(), Reminder()
    while not clock.stopped:
        producer = _try_connect(kafka)
        if producer is not None:
            return Sender(producer, kafka, clock)
        waited = clock.now() - began
        if not clock.stopped and reminder.due(waited):
            say(
                f"{kafka.bootstrap_servers}: Kafka does not answer, waiting for {waited:.0f} s; "
                "`make up` starts it, Ctrl-C ends the wait."
            )
        clock.sleep(PAUSE)
    return None


def _try_connect(kafka: settings.Kafka) -> KafkaProducer | None:
    """A producer that knows the topic, or None if Kafka does not answer; may raise ServiceError."""
    # Checked first, because each client that fails to connect leaves file descriptors open.
    if not broker.is_listening(kafka.bootstrap_servers):
        return None
    try:
        producer = KafkaProducer(
            bootstrap_servers=kafka.bootstrap_servers.split(","),
            bootstrap_timeout_ms=ATTEMPT_MS,
            max_block_ms=ATTEMPT_MS,
            kafka_client=_network,
            **PROMISES,
            **SPEED,
        )
    except KafkaError:
        return None
    try:
        producer.partitions_for(kafka.topic)
    except KafkaError:
        producer.close(timeout=0)
        check_topic(kafka)
        return None
    return producer


def _network(**config: object) -> KafkaNetClient:
    """kafka-python 3.0.12 loses `allow_auto_create_topics`: a lookup would create the topic."""
    client = KafkaNetClient(**config)
    client.cluster.config["allow_auto_create_topics"] = False
    return client


def check_topic(kafka: settings.Kafka) -> None:
    """Raise ServiceError if Kafka answers and has no such topic."""
    try:
        existing = broker.topics(kafka.bootstrap_servers)
    except ServiceError:
        return
    if kafka.topic not in existing:
        raise topics.missing_topic(kafka, "kafka.topic", kafka.topic)
