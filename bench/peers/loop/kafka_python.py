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
    """Up to ROWS records, after SECONDS those that came."""
    deadline = time.monotonic() + SECONDS
    records: list[Any] = []
    while len(records) < ROWS and (left := deadline - time.monotonic()) > 0:
        polled = consumer.poll(timeout_ms=int(1000 * left) + 1, max_records=ROWS - len(records))
        for part in polled.values():
            records += part
    return records


if __name__ == "__main__":
    main()
