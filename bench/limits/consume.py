"""Consumption by librdkafka alone: records are counted, and nothing is done with them."""

import time

from confluent_kafka import Consumer

from bench.peers import settings
from bench.peers.loop.confluent import QUEUE
from bench.peers.loop.table import ROWS, SECONDS


def main() -> None:
    """Consume until it is killed, and write the count to the file `progress` in BENCH_STATE."""
    given = settings.load()
    progress = given.state / "progress"
    consumer = Consumer(
        {
            "bootstrap.servers": given.servers,
            "group.id": given.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **QUEUE,
        }
    )
    consumer.subscribe([given.topic])
    count, written = 0, 0.0
    while True:
        count += len(consumer.consume(ROWS, SECONDS))
        if time.monotonic() > written + 0.05:
            new = progress.with_suffix(".new")
            new.write_text(str(count))
            new.replace(progress)
            written = time.monotonic()


if __name__ == "__main__":
    main()
