"""The stack of the benchmarks, in a temporary folder, and what they share to measure and print."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import Progress, track

from lib import conf, ports
from lib.conf import ROOT
from lib.processes import end_with_parent
from lib.settings import Settings

console = Console(highlight=False, soft_wrap=True)


@contextmanager
def stack(folder: Path) -> Iterator[Settings]:
    """Kafka and ClickHouse on free ports, with the whole environment pointing there."""
    os.environ.update(own_place(folder))
    with program("local", "up", "--foreground", until="Ctrl-C stops them"):
        yield conf.load()


def own_place(folder: Path) -> dict[str, str]:
    """The environment of a stack in a folder, on free ports."""
    kafka, controller, http, rest, api = ports.free(5)
    return {
        "MILLRACE_DATA_DIR": str(folder),
        "MILLRACE_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{kafka}",
        "MILLRACE_LOCAL__KAFKA_CONTROLLER_PORT": str(controller),
        "MILLRACE_CLICKHOUSE__PORT": str(http),
        "MILLRACE_FLINK__REST_PORT": str(rest),
        "MILLRACE_API__PORT": str(api),
    }


@contextmanager
def program(module: str, *arguments: str, until: str | None) -> Iterator[subprocess.Popen[str]]:
    """Run a program of Millrace, after it has printed `until` if that is not None."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=end_with_parent,
    )
    assert process.stdout
    try:
        if until and not any(until in line for line in process.stdout):
            raise click.ClickException(f"{module} ended; see its output above")
        # Read on: a full pipe would block it.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def progress(steps: range, text: str) -> Iterable[int]:
    """The steps, with a progress bar on a terminal."""
    return track(steps, text, console=console, transient=True, disable=not console.is_terminal)


Step = TypeVar("Step")


def steps(todo: Sequence[Step], text: str, name: Callable[[Step], str]) -> Iterator[Step]:
    """What is to do, one after another, with a progress bar that names it on a terminal."""
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(text, total=len(todo))
        for step in todo:
            bar.update(task, description=f"{text}: {name(step)}")
            yield step
            bar.advance(task)


def quantile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[int(len(ordered) * share)]


def remove_cache(folder: Path) -> None:
    """Remove @cache from the endpoints of a folder, so that each answer is computed."""
    for file in folder.glob("*.sql"):
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = (line for line in lines if not line.startswith("-- @cache"))
        file.write_text("".join(kept), encoding="utf-8")
