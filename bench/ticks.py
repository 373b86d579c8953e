"""The load, as a process of its own: a backlog of seeded ticks, or ticks at a steady rate.

`python -m bench.ticks fill|send`. Symbols take the partitions in turn, so that these hold equally
many ticks, and the offset of each tick is known without waiting for the broker."""

import random
import time
from array import array
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click
import numpy as np
from confluent_kafka import Consumer, Producer, TopicPartition
from rich.console import Console
from rich.progress import track

# The time of the first tick of a backlog, and from one to the next, in microseconds.
START = int(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()) * 1_000_000
STEP = 997
# How long the client waits for more ticks before it sends some, in milliseconds: its default.
LINGER = 5
# How many records may be on their way.
PENDING = 500_000

Value = tuple[str, float, int, str]
# The times at which ticks were due, by partition, in order of offset: of the monotonic clock, which
# is the same in all processes.
Due = dict[int, "array[float]"]


def names(count: int) -> list[str]:
    """So many symbols."""
    return [f"S{number:03}" for number in range(count)]


SYMBOLS = names(100)


class Sender:
    """Sends ticks in order, each once; the broker has all of them after `close`."""

    def __init__(self, servers: str, topic: str, partitions: int, linger_ms: int) -> None:
        self._topic = topic
        self._partitions = partitions
        self._of_symbol: dict[str, int] = {}
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": linger_ms,
                "queue.buffering.max.messages": 2 * PENDING,
                # A retry at the start of the broker is no news.
                "log_level": 0,
            }
        )

    def send(self, tick: Value) -> int:
        """Send a tick and return its partition."""
        symbol, price, volume, time_sent = tick
        partition = self._of_symbol.get(symbol)
        if partition is None:
            partition = self._of_symbol[symbol] = len(self._of_symbol) % self._partitions
        text = (
            f'{{"symbol": "{symbol}", "price": {price}, "volume": {volume},'
            f' "timestamp": "{time_sent}"}}'
        )
        self._producer.produce(self._topic, text, symbol, partition)
        return partition

    def wait(self) -> None:
        """Return when the broker is not far behind."""
        self._producer.poll(0)
        while len(self._producer) > PENDING:
            self._producer.poll(0.05)

    def close(self) -> None:
        if left := self._producer.flush(120):
            raise click.ClickException(f"{self._topic}: {left} ticks are not acknowledged")


def values(
    rng: random.Random, symbols: Sequence[str], *, are_now: bool = False, is_calm: bool = False
) -> Iterator[Value]:
    """Ticks without end; their times are those of their production, or the same in each run. Their
    prices are anything within a tenth, or in a calm market within a thousandth, but for one of
    16,384, which is two per cent lower."""
    count, draw = len(symbols), rng.getrandbits
    micros, second, text = START, -1, ""
    while True:
        micros = time.time_ns() // 1000 if are_now else micros + STEP
        if micros // 1_000_000 != second:
            # A text for each tick would take longer than all else here.
            second = micros // 1_000_000
            text = f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"
        drawn = draw(64)
        symbol, price = symbols[(drawn & 0xFFFFF) % count], (10_000 + (drawn >> 20) % 1_000) / 100
        if is_calm:
            price = 98.0 if drawn >> 50 == 0 else 100 + (drawn >> 20) % 1_000 / 10_000
        yield symbol, price, 1 + (drawn >> 40) % 999, f"{text}.{micros % 1_000_000:06}"


def ends(servers: str, topic: str, partitions: int) -> list[int]:
    """The offset that the next tick of each partition gets."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "-", "log_level": 0})
    places = [TopicPartition(topic, number) for number in range(partitions)]
    found = [consumer.get_watermark_offsets(place, timeout=60)[1] for place in places]
    consumer.close()
    return found


def pace(sender: Sender, ticks: Iterator[Value], rate: int, count: int) -> tuple[Due, list[float]]:
    """Send so many at a rate; return when each was due, and how late each burst was sent."""
    due: Due = {}
    late: list[float] = []
    begun, number = time.monotonic() + 0.1, 0
    while number < count:
        if (early := begun + number / rate - time.monotonic()) > 0:
            # Ticks of the same millisecond go together.
            time.sleep(max(early, 0.001))
        now = time.monotonic()
        late.append(now - (begun + number / rate))
        for number in range(number, min(count, int((now - begun) * rate) + 1)):  # noqa: B020
            due.setdefault(sender.send(next(ticks)), array("d")).append(begun + number / rate)
        number += 1
        sender.wait()
    return due, late


OPTIONS = [
    click.option("--servers", required=True, help="The address of the broker."),
    click.option("--topic", required=True, help="It exists."),
    click.option("--partitions", type=int, required=True, help="How many it has."),
    click.option("--symbols", type=int, default=len(SYMBOLS), help="How many symbols."),
]


def common(command: Any) -> Any:
    """Add the options of both commands."""
    for option in OPTIONS:
        command = option(command)
    return command


@click.group()
def main() -> None:
    """Send ticks with a client that is far faster than any contender."""


@main.command()
@common
@click.option("--count", type=int, required=True, help="How many ticks.")
@click.option("--calm", is_flag=True, help="Prices that hardly change.")
def fill(servers: str, topic: str, partitions: int, symbols: int, count: int, calm: bool) -> None:
    """Send a backlog."""
    sender, console = Sender(servers, topic, partitions, linger_ms=50), Console(stderr=True)
    ticks = islice(values(random.Random(1), names(symbols), is_calm=calm), count)
    hidden = not console.is_terminal
    shown = track(ticks, "loading", count, console=console, transient=True, disable=hidden)
    for number, tick in enumerate(shown):
        sender.send(tick)
        if number % 1_000 == 0:
            sender.wait()
    sender.close()


@main.command()
@common
@click.option("--rate", type=int, required=True, help="Ticks a second.")
@click.option("--seconds", type=float, required=True, help="How long.")
@click.option("--file", type=click.Path(path_type=Path), required=True, help="Where to note times.")
def send(
    servers: str,
    topic: str,
    partitions: int,
    symbols: int,
    rate: int,
    seconds: float,
    file: Path,
) -> None:
    """Send ticks of now at a rate, and note when each was due."""
    first = ends(servers, topic, partitions)
    sender = Sender(servers, topic, partitions, linger_ms=LINGER)
    ticks = values(random.Random(2), names(symbols), are_now=True)
    due, late = pace(sender, ticks, rate, round(rate * seconds))
    sender.close()
    times = {f"due{number}": due.get(number, array("d")) for number in range(partitions)}
    np.savez(file, first=first, late=late, **times)


if __name__ == "__main__":
    main()
