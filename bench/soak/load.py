"""Send ticks and bad records at a steady pace until SIGTERM."""

import itertools
import json
import random
import time
from datetime import UTC, datetime

import click
from confluent_kafka import Producer

from bench.ticks import SYMBOLS
from lib import conf
from lib.signals import Signals

# How many records may be on their way.
PENDING = 50_000

# Of each kind that is no tick: not read by Flink, refused by a rule, no row of its own.
BAD = (
    None,
    b"",
    b"no JSON",
    b"[]",
    b'{"symbol": "AAPL", "price": 1, "volume": 1, "timestamp": "2026-01-02T03:04:05"',
    b"\xff\xfe",
    b'{"symbol": "AAPL", "price": -1, "volume": 1, "timestamp": "2026-01-02T03:04:05"}',
    b'{"symbol": "aapl", "price": 1, "volume": 1, "timestamp": "2026-01-02T03:04:05"}',
    b'{"symbol": "AAPL", "price": 1, "volume": 12.7, "timestamp": "2026-01-02T03:04:05"}',
    b'{"symbol": "AAPL", "price": 1, "volume": 1, "timestamp": "yesterday"}',
    b'[{"symbol": "AAPL"}, {"symbol": "MSFT"}]',
)


@click.command()
@click.option("--rate", type=float, required=True, help="Records a second.")
@click.option("--bad", type=int, required=True, help="Each record of this number is no tick.")
def main(rate: float, bad: int) -> None:
    """Send until SIGTERM, and return when all is acknowledged."""
    config, signals, rng = conf.load().kafka, Signals(), random.Random(1)
    signals.listen()
    producer = Producer({"bootstrap.servers": config.bootstrap_servers, "acks": "all"})
    begun = time.monotonic()
    for number in itertools.count():
        if signals.count:
            break
        if (early := begun + number / rate - time.monotonic()) > 0.001:
            producer.poll(0)
            time.sleep(early)
        # A broker that is behind is waited for.
        while len(producer) > PENDING:
            producer.poll(0.1)
        value = BAD[number // bad % len(BAD)] if number % bad == 0 else tick(rng)
        producer.produce(config.topic, value, rng.choice(SYMBOLS))
    producer.flush()


def tick(rng: random.Random) -> bytes:
    """A tick of now."""
    return json.dumps(
        {
            "symbol": rng.choice(SYMBOLS),
            "price": round(100 + rng.random() * 10, 2),
            "volume": rng.randrange(1, 1_000),
            "timestamp": datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds"),
        }
    ).encode()


if __name__ == "__main__":
    main()
