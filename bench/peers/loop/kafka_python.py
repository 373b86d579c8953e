"""The loop on kafka-python, whose client is pure Python."""

import time
from typing import Any

from kafka import KafkaConsumer

from bench.peers import settings
from bench.peers.loop.table import ROWS, SECONDS, Table


def main() -> None:
    """Insert until it is killed."""
    table, given = Table("loop-kafka-python"), settings.load()
    consumer = KafkaConsumer(
        given.topic,
        bootstrap_servers=given.servers,
        group_id=given.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        # A member that was killed holds its partitions for this time.
        session_timeout_ms=6_000,
        heartbeat_interval_ms=2_000,
        # In pure Python the check of a record costs more than all else that is done with it.
        check_crcs=False,
        fetch_max_wait_ms=10,
        max_poll_records=ROWS,
    )
    while True:
        records = batch(consumer)
        if not records:
            continue
        table.insert(
            # A value that is null is not a tick.
            [one.value or b"null" for one in records],
            [one.partition for one in records],
            [one.offset for one in records],
            [one.timestamp for one in records],
        )
        consumer.commit_async()


def batch(consumer: KafkaConsumer) -> list[Any]:
    """Up to ROWS records: those that come within SECONDS after the first."""
    # A short poll is not enough to join the group on a busy machine.
    records = poll(consumer, 1.0, ROWS)
    deadline = time.monotonic() + SECONDS
    while records and len(records) < ROWS and (left := deadline - time.monotonic()) > 0:
        records += poll(consumer, left, ROWS - len(records))
    return records


def poll(consumer: KafkaConsumer, seconds: float, most: int) -> list[Any]:
    """The next records of all partitions, as soon as there are any."""
    polled = consumer.poll(timeout_ms=int(1000 * seconds) + 1, max_records=most)
    return [record for part in polled.values() for record in part]


if __name__ == "__main__":
    main()
