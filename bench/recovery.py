"""How soon the job stores a row after its start, cold and warm, and after a kill; and how soon a
demo shows a price.

Cold means that the files of the installation are not in the page cache, as after a boot; those that
the servers have mapped stay there."""

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
from clickhouse_connect.driver.client import Client

from bench import progress, running, topics
from bench.contenders import CONTENDERS, OURS, PYTHON, Contender
from bench.failures import failures
from bench.running import Task
from bench.sizes import Sizes
from bench.stack import console, steps
from jobs.sql_tests import own_stack
from lib import clickhouse
from lib.conf import ROOT
from lib.settings import Settings

TICKS = 100_000
DEMO = Contender("demo", "make demo", "each record once", (*PYTHON, "local", "demo"), kind="ours")
# What the demo prints as soon as the API has a price.
PRICE = re.compile(r" latest \| \S+ [\d,]+\.\d\d")
# How long that may take, in seconds.
DEMO_LIMIT = 300.0


def section(
    config: Settings, contenders: Sequence[Contender], sizes: Sizes, into: dict[str, Any]
) -> None:
    """Start and kill the job, and start a demo, so many times."""
    (ours,) = (one for one in CONTENDERS if one.name == OURS)
    client = clickhouse.connect(config.clickhouse)
    for name in steps(["cold", *["warm"] * sizes.starts], "start", str):
        with failures(name, into):
            if name == "cold":
                forget(ROOT)
            note(into, name, start_and_kill(config, ours, client))
    for name in steps(["demo"] * sizes.starts, "start", str):
        with failures(name, into), running.task(config, "ticks") as given, demo(given) as seconds:
            note(into, name, {"first_price_s": seconds})


def note(into: dict[str, Any], name: str, found: dict[str, float]) -> None:
    into.setdefault(name, []).append(found)
    console.print(f"  {name}: " + ", ".join(f"{key} {value}" for key, value in found.items()))


def start_and_kill(config: Settings, ours: Contender, client: Client) -> dict[str, float]:
    """The seconds from the start to the first row, and from a kill and a start to the next row."""
    running.empty(client)
    with topics.filled(config, TICKS) as topic, running.task(config, topic) as given:
        done = progress.of(ours, given, client)
        with running.started(ours, given) as process:
            first = progress.wait(done, lambda: running.check(process, ours, given), 1)
            progress.wait(done, lambda: running.check(process, ours, given), TICKS)
        topics.load(config, topic, "fill", "--count=1000")
        with running.started(ours, given) as process:
            again = progress.wait(done, lambda: running.check(process, ours, given), TICKS + 1)
    return {"first_row_s": round(first, 2), "next_row_s": round(again, 2)}


def forget(folder: Path) -> None:
    """Have the kernel drop the pages of all files below a folder that no process has mapped."""
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                file = os.open(os.path.join(parent, name), os.O_RDONLY)
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(file)


@contextmanager
def demo(given: Task) -> Iterator[float]:
    """A demo that has shown a price, and after how many seconds; it is killed at the end."""
    begun = time.monotonic()
    process = subprocess.Popen(
        DEMO.command,
        cwd=ROOT,
        env=given.environ | own_stack.place(given.state),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    limit = threading.Timer(DEMO_LIMIT, process.kill)
    limit.start()
    try:
        assert process.stdout
        if not any(PRICE.search(line) for line in process.stdout):
            raise click.ClickException(f"no price within {DEMO_LIMIT:.0f} s")
        seconds = round(time.monotonic() - begun, 2)
        # Read on: a full pipe would block it.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield seconds
    finally:
        limit.cancel()
        running.kill(given)
        process.wait()
