"""How fast each contender drains a backlog, and what that costs.

All read the same topic into the same table, one after another, each beginning with a table that is
empty. Each round begins with another contender, so that none is always first or last."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any

import click
from clickhouse_connect.driver.client import Client

from bench import measure, progress, rates, running, topics
from bench.contenders import Contender
from bench.failures import failures
from bench.measure import Meter
from bench.progress import FIRST_PAUSE, PAUSE, START_LIMIT
from bench.rates import WARM_UP, Sample
from bench.running import Task
from bench.sizes import Sizes
from bench.stack import console, steps
from lib import clickhouse
from lib.settings import Settings
from lib.waiting import until

# Flink renews its figures every second, and a look at them costs it more than one costs ClickHouse.
FLINK_PAUSE = 0.5
# Seconds from one reading of CPU and memory to the next.
READ_EVERY = 0.5
# How long merges are waited for after the last record, in seconds.
MERGE_LIMIT = 15.0


def section(
    config: Settings, contenders: Sequence[Contender], sizes: Sizes, into: dict[str, Any]
) -> None:
    """Drain a backlog with each contender in each round; every run is in `into` when it ends."""
    client = clickhouse.connect(config.clickhouse)
    with topics.filled(config, sizes.ticks) as topic:
        into |= {"ticks": sizes.ticks, "limit_s": sizes.limit, "idle": idle(config, client)}
        for contender in steps(rotated(contenders, sizes.rounds), "drain", lambda one: one.name):
            with failures(contender.name, into):
                limit = sizes.limit / 3 if contender.is_slow else sizes.limit
                result = run(config, contender, topic, sizes.ticks, limit, client)
                into.setdefault("contenders", {}).setdefault(contender.name, []).append(result)
                console.print(shown(contender, result))


def rotated(contenders: Sequence[Contender], rounds: int) -> list[Contender]:
    """Every contender once a round: A B C, B C A, C A B."""
    order: list[Contender] = []
    for number in range(rounds):
        first = number % len(contenders) if contenders else 0
        order += [*contenders[first:], *contenders[:first]]
    return order


def idle(config: Settings, client: Client, seconds: float = 3.0) -> dict[str, float]:
    """What the servers use of a core with no contender, while the progress is polled as later."""
    meter = Meter({f"MILLRACE_DATA_DIR={config.data_dir}": measure.of_stack})
    before, end = meter.read(), time.monotonic() + seconds
    while time.monotonic() < end:
        progress.rows(client)
        time.sleep(PAUSE)
    spent = measure.between(before, meter.read())
    return {name: round(value / seconds, 3) for name, value in spent.items()}


def run(
    config: Settings, contender: Contender, topic: str, ticks: int, limit: float, client: Client
) -> dict[str, Any]:
    """Drain the topic once, for at most `limit` seconds after the warm-up."""
    running.empty(client)
    with (
        running.task(config, topic) as given,
        started(contender, given, ticks, limit, client) as found,
    ):
        return found


@contextmanager
def started(
    contender: Contender, given: Task, ticks: int, limit: float, client: Client
) -> Iterator[dict[str, Any]]:
    """The figures of a drain by a contender that still runs in the block."""
    meter = Meter(
        {
            given.mark: measure.of_contender,
            f"MILLRACE_DATA_DIR={given.config.data_dir}": measure.of_stack,
        }
    )
    # A table may have rows of earlier.
    rows = progress.rows(client) if contender.progress == "table" else 0
    before, begun = meter.read(), time.monotonic()
    with running.started(contender, given) as process:

        def look() -> None:
            running.check(process, contender, given)

        done = progress.of(contender, given, client)
        pause = FLINK_PAUSE if contender.progress == "flink" else PAUSE
        samples = watch(lambda: done() - rows, ticks, limit, meter, look, pause)
        end = meter.read()
        settle(client)
        result = rates.figures(
            rates.exact(contender, samples), ticks, begun, meter, before, end, meter.read()
        )
        yield result | {"rows": samples[-1][1], "is_complete": samples[-1][1] >= ticks}


def watch(
    done: Callable[[], int],
    ticks: int,
    limit: float,
    meter: Meter,
    look: Callable[[], None],
    pause: float = PAUSE,
) -> list[Sample]:
    """The progress from the first record to the last, or until the limit. It counts from the end of
    the warm-up, which may take twice as long from the first record on."""
    samples: list[Sample] = []
    begun = read = time.monotonic()
    deadline = inf
    while not samples or (samples[-1][1] < ticks and samples[-1][0] < deadline):
        look()
        count, now = done(), time.monotonic()
        if count:
            if not samples:
                deadline = now + 2 * limit
            if count >= WARM_UP * ticks and (not samples or samples[-1][1] < WARM_UP * ticks):
                deadline = now + limit
            samples.append((now, min(count, ticks)))
        elif now > begun + START_LIMIT:
            raise click.ClickException(f"no record was done within {START_LIMIT:.0f} s")
        if now > read + READ_EVERY or len(samples) == 1:
            meter.read()
            read = now
        time.sleep(pause if samples else FIRST_PAUSE)
    return samples


def settle(client: Client) -> None:
    """Return when ClickHouse merges nothing: what a contender leaves to do is part of its cost."""
    running_merges = "SELECT count() FROM system.merges"
    until(lambda: client.command(running_merges) == 0, MERGE_LIMIT)


def shown(contender: Contender, result: dict[str, Any]) -> str:
    """One line for one run."""
    rate = f"{result['rate']:,} a second" if result["rate"] else "too few records for a rate"
    cost = sum(result["cpu_per_million_s"].values())
    return (
        f"  {contender.name}: first row after {result['first_row_s']} s, {rate}, "
        f"{cost:.1f} CPU-s per million, {result['rows']:,} rows"
    )
