"""`python -m tests.chaos.load SEED FILE`: send records of every kind until SIGTERM, and write into
FILE what was sent.

Most records are ticks. The others are of the kinds of tests.e2e.fuzz, and some are in transactions,
of which every other one is aborted.
"""

import json
import random
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from confluent_kafka import KafkaException, Message, Producer

from bench import ticks
from lib import conf
from lib.files import replace
from lib.signals import Signals
from tests.e2e import fuzz
from tests.e2e.support import PARTITIONS

PER_SECOND = 300
# Where a record of an aborted transaction is to be.
ABORTED = "aborted"

# How long the broker may be unavailable, in milliseconds.
_PATIENCE = 600_000
_PAUSE = 0.05
# How long after its commit the end of a transaction may be written, in seconds.
_LATE = 2.0


class Sent:
    """Where each acknowledged record is in the topic, and what is to become of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.places: list[tuple[int, int, str]] = []
        # Acknowledged as repetitions of what the broker had: it does not say where.
        self.unplaced = 0
        self.failures: list[str] = []

    def note(self, outcome: str, error: object, message: Message) -> None:
        with self._lock:
            if error:
                self.failures.append(str(error))
            elif message.offset() < 0:
                self.unplaced += 1
            else:
                self.places.append((message.partition(), message.offset(), outcome))

    def write(self, file: Path) -> None:
        replace(file, json.dumps({"places": self.places, "unplaced": self.unplaced}))


def _record(rng: random.Random, number: int) -> tuple[str, bytes | None]:
    """What is to become of a record, and its value."""
    name = "a tick"
    if number % 2_000 == 999:
        name = "a value of 100 KB to 1 MB"
    elif rng.random() < 0.1:
        name = rng.choice([*fuzz.KINDS])
    kind = fuzz.KINDS[name]
    return kind.outcome, kind.make(rng)


def _producer(**options: object) -> Producer:
    return Producer(
        {
            "bootstrap.servers": conf.load().kafka.bootstrap_servers,
            "enable.idempotence": True,
            "message.max.bytes": 2_000_000,
            # The time to recover is not to be this client's.
            "reconnect.backoff.max.ms": 500,
            "log_level": 0,
            **options,
        }
    )


def send(seed: int, topic: str, sent: Sent, signals: Signals, producer: Producer) -> None:
    """Send records at a steady pace."""
    rng, number, started = random.Random(seed), 0, time.monotonic()
    while not signals.wait(_PAUSE):
        while number < (time.monotonic() - started) * PER_SECOND:
            outcome, value = _record(rng, number)
            key = None if rng.random() < 0.1 else f"key {number % 50}"
            producer.produce(topic, value, key, on_delivery=partial(sent.note, outcome))
            number += 1
        producer.poll(0)
    assert producer.flush(_PATIENCE / 1000) == 0


def send_last(seed: int, topic: str, sent: Sent, producer: Producer) -> None:
    """Send a tick to each partition, until its last record is one: behind the end of a transaction,
    which the broker may write late, a position stands still."""
    tick = fuzz.KINDS["a tick"].make(random.Random(seed))
    servers = conf.load().kafka.bootstrap_servers
    left = [*range(PARTITIONS)]
    while left:
        for partition in left:
            producer.produce(topic, tick, None, partition, partial(sent.note, fuzz.TICK))
        assert producer.flush(_PATIENCE / 1000) == 0
        time.sleep(_LATE)
        last = {partition: offset for partition, offset, _ in sorted(sent.places)}
        ends = ticks.ends(servers, topic, PARTITIONS)
        left = [partition for partition in left if ends[partition] != last[partition] + 1]


def transact(seed: int, topic: str, sent: Sent, signals: Signals) -> None:
    """Send a transaction every other second, and abort every other one."""
    rng = random.Random(-seed - 1)
    producer = _producer(**{"transactional.id": f"chaos-{seed}"})
    _until_done(producer.init_transactions)
    commits = True
    while not signals.wait(2.0):
        records = [_record(rng, 0) for _ in range(rng.randrange(1, 30))]
        producer.begin_transaction()
        own = Sent()
        for outcome, value in records:
            producer.produce(topic, value, on_delivery=partial(own.note, outcome))
        producer.flush(_PATIENCE / 1000)
        is_committed = commits and not own.failures and _until_done(producer.commit_transaction)
        if not is_committed:
            _until_done(producer.abort_transaction)
        for partition, offset, outcome in own.places:
            sent.places.append((partition, offset, outcome if is_committed else ABORTED))
        assert is_committed or not own.unplaced
        sent.unplaced += own.unplaced
        commits = not commits


def _until_done(call: Callable[[float], None]) -> bool:
    """Repeat a step of a transaction until it is done, and return whether it was."""
    while True:
        try:
            call(10)
            return True
        except KafkaException as error:
            if error.args[0].txn_requires_abort():
                return False
            if not error.args[0].retriable():
                raise


def main(seed: int, file: Path) -> None:
    signals, sent, topic = Signals(), Sent(), conf.load().kafka.topic
    signals.listen()
    producer = _producer(**{"message.timeout.ms": _PATIENCE})
    with ThreadPoolExecutor(1) as threads:
        transactions = threads.submit(transact, seed, topic, sent, signals)
        send(seed, topic, sent, signals, producer)
        transactions.result()
    send_last(seed, topic, sent, producer)
    assert not sent.failures, sent.failures[:3]
    sent.write(file)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
