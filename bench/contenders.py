"""What is measured: each contender is a program that drains the topic into the table.

It runs in the project's folder, reads its task from variables (bench/running.py), begins at the
first record of the topic, and goes on until it is killed. Started again with the same BENCH_STATE
and BENCH_GROUP it goes on where it was."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from bench.peers import places

PYTHON = (sys.executable, "-m")


@dataclass(frozen=True, slots=True)
class Contender:
    """A program, in words and as a command; a limit does only a part of the work."""

    name: str
    what: str
    guarantee: str
    command: tuple[str, ...]
    kind: Literal["ours", "peer", "limit"] = "peer"
    # Where its progress is seen: in the table, in Flink's figures, or in its file `progress`.
    progress: Literal["table", "flink", "file"] = "table"
    # Python does each record by itself, so its rate is low and flat: a third of the time is enough.
    is_slow: bool = False
    # Why it cannot run here; None: it can.
    reason: Callable[[], str | None] = lambda: None


def peer(name: str, what: str, guarantee: str, *, is_slow: bool = False) -> Contender:
    """A program of bench/peers/, in its own environment if it has one."""
    reason, command = partial(places.reason, name), tuple(places.command(name))
    return Contender(name, what, guarantee, command, is_slow=is_slow, reason=reason)


# The one that all others are compared with.
BASELINE = "loop"
OURS = "millrace"

CONTENDERS = (
    Contender(
        OURS,
        "the stock job's ticks, with its defaults",
        "each record once",
        (*PYTHON, "bench.job", "stocks", "--insert=ticks"),
        kind="ours",
    ),
    Contender(
        "millrace-2",
        "the stock job with two tasks",
        "each record once",
        (*PYTHON, "bench.job", "stocks", "--insert=ticks", "parallelism.default=2"),
        kind="ours",
    ),
    Contender(
        BASELINE,
        "a plain loop: confluent-kafka, msgspec, Arrow inserts",
        "at least once",
        (*PYTHON, "bench.peers.loop.confluent"),
    ),
    Contender(
        "loop-defaults",
        "the same loop with librdkafka's own queue and 20,000 rows an insert",
        "at least once",
        (*PYTHON, "bench.peers.loop.confluent", "--defaults"),
    ),
    Contender(
        "loop-kafka-python",
        "the same loop on kafka-python",
        "at least once",
        (*PYTHON, "bench.peers.loop.kafka_python"),
        is_slow=True,
    ),
    peer("go", "a loop in Go: franz-go, clickhouse-go over HTTP", "at least once"),
    peer(
        "spark",
        "Spark Structured Streaming: foreachBatch, Arrow inserts by its Python workers",
        "each record once, while ClickHouse remembers the tokens of a micro-batch",
    ),
    peer("quix", "Quix Streams with a sink of Arrow inserts", "at least once", is_slow=True),
    peer(
        "bytewax", "a Bytewax dataflow with a sink of Arrow inserts", "at least once", is_slow=True
    ),
    peer(
        "jdbc",
        "Flink's JDBC sink with ClickHouse's driver, all in Java",
        "at least once",
        is_slow=True,
    ),
    peer("record", "a PyFlink MapFunction that inserts each tick", "at least once", is_slow=True),
    Contender(
        "limit-flink",
        "the job's SQL into Flink's blackhole",
        "nothing is stored",
        (*PYTHON, "bench.job", "stocks", "--sql=bench/sql/blackhole", "--insert=nowhere"),
        kind="limit",
        progress="flink",
    ),
    Contender(
        "limit-consume",
        "librdkafka alone",
        "nothing is stored",
        (*PYTHON, "bench.limits.consume"),
        kind="limit",
        progress="file",
    ),
    Contender(
        "limit-insert",
        "Arrow inserts alone",
        "nothing is read",
        (*PYTHON, "bench.limits.insert"),
        kind="limit",
    ),
)
