"""How long after it was due to be sent a tick is in the answer to a query, at several rates.

The delay counts from when a tick was due, not from when it was sent: a load that is held up by what
it measures would else leave out the worst delays. A tick is visible if the highest stored offset of
its partition is not below its own, which no contender stores out of order within a partition. The
delay ends when the answer has arrived, so it includes the time from one query to the next."""

import statistics
import threading
import time
from collections.abc import Sequence
from typing import Any

from clickhouse_connect.driver.client import Client

from bench import delays, measure, progress, running, topics
from bench.contenders import BASELINE, OURS, Contender
from bench.drain import rotated
from bench.failures import failures
from bench.measure import Meter
from bench.running import TABLE, Task
from bench.sizes import Sizes
from bench.stack import console, steps
from lib import clickhouse
from lib.settings import Settings
from lib.waiting import until

CONTENDERS = (OURS, BASELINE, "spark")
# Seconds from the answer of one query to the next query: up to this many ticks a second, and above,
# where each query costs more and a few milliseconds matter less.
FEW = 1_000
PAUSES = (0.01, 0.02)
# How long ticks are waited for after the last was sent, in seconds.
REST_LIMIT = 15.0
# The projection of the table answers it, from a few rows of each part: more threads only cost more.
HIGHEST = (
    f"SELECT kafka_partition, max(kafka_offset) FROM {TABLE} GROUP BY kafka_partition"
    " SETTINGS max_threads = 1"
)


class Poller:
    """Notes when the highest stored offset of each partition has grown."""

    def __init__(self, config: Settings, pause: float) -> None:
        self._client = clickhouse.connect(config.clickhouse, compress=False)
        self._pause = pause
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll)
        self._took: list[float] = []
        # By partition: times, and the highest offset at each.
        self.seen: dict[int, tuple[list[float], list[int]]] = {}

    def __enter__(self) -> "Poller":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._client.close()

    def has(self, ends: Sequence[int]) -> bool:
        """Whether each record below these offsets is visible."""
        return all(self._highest(number) >= end - 1 for number, end in enumerate(ends))

    @property
    def took_ms(self) -> float | None:
        """The median time from a query to its answer."""
        return round(1e3 * statistics.median(self._took), 1) if self._took else None

    def _highest(self, partition: int) -> int:
        _, offsets = self.seen.get(partition, ([], [-1]))
        return offsets[-1]

    def _poll(self) -> None:
        while not self._ended.wait(self._pause):
            begun = time.monotonic()
            answer = self._client.raw_query(HIGHEST, fmt="TabSeparated")
            now = time.monotonic()
            self._took.append(now - begun)
            for line in answer.splitlines():
                partition, offset = map(int, line.split())
                if offset > self._highest(partition):
                    times, offsets = self.seen.setdefault(partition, ([], []))
                    times.append(now)
                    offsets.append(offset)


def section(
    config: Settings, contenders: Sequence[Contender], sizes: Sizes, into: dict[str, Any]
) -> None:
    """Measure each contender at each rate in each round."""
    client = clickhouse.connect(config.clickhouse)
    measured = [one for one in contenders if one.name in CONTENDERS]
    into |= {"rates": list(sizes.rates), "seconds": sizes.seconds}
    for contender in steps(
        rotated(measured, sizes.latency_rounds), "latency", lambda one: one.name
    ):
        with failures(contender.name, into):
            result = run(config, contender, sizes, client)
            into.setdefault("contenders", {}).setdefault(contender.name, []).append(result)


def run(config: Settings, contender: Contender, sizes: Sizes, client: Client) -> dict[str, Any]:
    """Start it, have it store a backlog to warm up, and measure at each rate."""
    running.empty(client)
    with (
        topics.filled(config, sizes.warm_up_ticks) as topic,
        running.task(config, topic) as given,
        running.started(contender, given) as process,
    ):
        done = progress.of(contender, given, client)
        progress.wait(done, lambda: running.check(process, contender, given), sizes.warm_up_ticks)
        found: dict[str, Any] = {}
        for rate in sizes.rates:
            found[str(rate)] = at_rate(config, given, rate, sizes.seconds)
            running.check(process, contender, given)
            console.print(shown(contender.name, rate, found[str(rate)]))
    return found


def at_rate(
    config: Settings, given: Task, rate: int, seconds: float, partitions: int = topics.PARTITIONS
) -> dict[str, Any]:
    """Send ticks at a rate, and return the quantiles of their delays."""
    file = given.state / f"sent-{rate}.npz"
    meter = Meter(
        {
            topics.MARK: measure.of_load,
            given.mark: measure.of_contender,
            f"MILLRACE_DATA_DIR={config.data_dir}": measure.of_stack,
        }
    )
    before = meter.read()
    with Poller(config, PAUSES[rate > FEW]) as poller:
        options = (f"--rate={rate}", f"--seconds={seconds}", f"--file={file}")
        topics.load(config, given.topic, "send", *options, partitions=partitions)
        after = meter.read()
        sent = delays.read(file)
        until(lambda: poller.has(sent.ends), REST_LIMIT, pause=0.05)
    span = after.at - before.at
    cores = {name: round(value / span, 3) for name, value in measure.between(before, after).items()}
    return delays.figures(sent, poller.seen) | {"cores": cores, "query_ms": poller.took_ms}


def shown(name: str, rate: int, found: dict[str, Any]) -> str:
    """One line for one rate."""
    lost = f", {found['not_visible']:,} not visible" if found["not_visible"] else ""
    return (
        f"  {name} at {rate:,} a second: p50 {found['p50_ms']} ms, p99 {found['p99_ms']} ms, "
        f"p99.9 {found['p999_ms']} ms{lost}"
    )
