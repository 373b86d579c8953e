"""How the job's drain, memory and latency change with what grows: partitions, tasks, the backlog,
symbols, rules, the table. Each case differs from the first in one or two things, and runs once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client

from bench import drain, latency, running, topics
from bench.api.fill import chunk
from bench.contenders import PYTHON, Contender
from bench.failures import failures
from bench.sizes import Sizes
from bench.stack import console, progress, steps
from lib import clickhouse
from lib.settings import Settings

RATE, SECONDS = 1_000, 8.0


@dataclass(frozen=True, slots=True)
class Case:
    """The job under one condition."""

    name: str
    partitions: int = topics.PARTITIONS
    tasks: int = 1
    symbols: int = 100
    # How many times the usual backlog.
    backlog: float = 1.0
    has_rules: bool = True
    # Millions of rows that the table has before.
    millions: int = 0
    # What the job makes of the ticks.
    inserts: tuple[str, ...] = ("ticks",)
    # Whether prices hardly change, so that alerts are as rare as in a market.
    is_calm: bool = False


ALL = ("ticks", "candles_1m", "alerts")

# The first of them belong to a whole run of all sections; the rest is measured if growth is named.
CASES = (
    Case("the first"),
    Case("1 partition", partitions=1),
    Case("16 partitions", partitions=16),
    Case("2 tasks", tasks=2),
    Case("16 partitions, 2 tasks", partitions=16, tasks=2),
    Case("10,000 symbols", symbols=10_000),
    Case("no rules", has_rules=False),
    Case("10 million rows before", millions=10),
    Case("10 symbols", symbols=10),
    Case("4 tasks", tasks=4),
    Case("a third of the backlog", backlog=1 / 3),
    Case("three times the backlog", backlog=3.0),
    Case("100 million rows before", millions=100),
    Case("candles beside the ticks", inserts=("ticks", "candles_1m")),
    Case("a calm market", is_calm=True),
    Case("candles and alerts, a calm market", inserts=ALL, is_calm=True),
)


def section(
    config: Settings, contenders: Sequence[Contender], sizes: Sizes, into: dict[str, Any]
) -> None:
    """Run each case once."""
    client = clickhouse.connect(config.clickhouse)
    into |= {"ticks": sizes.growth_ticks, "rate": RATE}
    for case in steps(CASES[: sizes.growth_cases], "growth", lambda one: one.name):
        with failures(case.name, into):
            result = run(config, case, sizes, client)
            into.setdefault("cases", {})[case.name] = result
            found = result["latency"]
            console.print(
                f"  {case.name}: {result['rate']:,} a second, "
                f"p50 {found['p50_ms']} ms, p99 {found['p99_ms']} ms"
            )


def run(config: Settings, case: Case, sizes: Sizes, client: Client) -> dict[str, Any]:
    """Drain a backlog under a condition, and measure the latency at RATE after that."""
    running.empty(client)
    for first in progress(range(case.millions), "filling"):
        # Partitions and a writer that no contender has.
        chunk(client, first, case.millions, 100, partition=1_000, writer="bench/growth")
    ticks = round(sizes.growth_ticks * case.backlog)
    kind = {"partitions": case.partitions, "symbols": case.symbols, "is_calm": case.is_calm}
    with (
        topics.filled(config, ticks, **kind) as topic,
        running.task(config, topic) as given,
        drain.started(job(case), given, ticks, sizes.limit, client) as found,
    ):
        return found | {"latency": latency.at_rate(config, given, RATE, SECONDS, case.partitions)}


def job(case: Case) -> Contender:
    """The stock job under a condition."""
    sql = [] if case.has_rules else ["--sql=bench/sql/no_rules"]
    inserts = [f"--insert={name}" for name in case.inserts]
    options = (f"parallelism.default={case.tasks}", *sql, *inserts)
    command = (*PYTHON, "bench.job", "stocks", *options)
    return Contender(case.name, "the stock job", "each record once", command, kind="ours")
