"""The loop on confluent-kafka, whose client is librdkafka.

With `--defaults` the client's queue stays as it is, and an insert has at most FEW_ROWS. Each
of both costs much, and neither is found without a benchmark."""

import sys

from confluent_kafka import Consumer

from bench.peers import settings
from bench.peers.loop.table import ROWS, Table

# With 100,000 records in its queue, the default, the client would not fetch for a second.
QUEUE = {"queued.min.messages": 1_000_000, "queued.max.messages.kbytes": 262_144}
FEW_ROWS = 20_000
# How long a batch waits for more records once the queue is empty; with a full one it never waits.
WAIT_SECONDS = 0.01


def main() -> None:
    """Insert until it is killed."""
    table, given = Table("loop"), settings.load()
    queue, rows = ({}, FEW_ROWS) if "--defaults" in sys.argv else (QUEUE, ROWS)
    consumer = Consumer(
        {
            "bootstrap.servers": given.servers,
            "group.id": given.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            # A member that was killed holds its partitions for this time.
            "session.timeout.ms": 6_000,
            # Records wait for the broker no longer than for the batch.
            "fetch.wait.max.ms": 10,
            **queue,
        }
    )
    consumer.subscribe([given.topic])
    while True:
        records = [one for one in consumer.consume(rows, WAIT_SECONDS) if not one.error()]
        if not records:
            continue
        table.insert(
            # A value that is null is not a tick.
            [one.value() or b"null" for one in records],
            [one.partition() for one in records],
            [one.offset() for one in records],
            [one.timestamp()[1] for one in records],
        )
        consumer.commit(asynchronous=True)


if __name__ == "__main__":
    main()
