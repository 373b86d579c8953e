"""What the benchmarks run on: a stack of their own in a temporary folder, and our programs."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from lib import conf, ports
from lib.conf import ROOT
from lib.processes import end_with_parent
from lib.settings import Settings


@contextmanager
def stack(folder: Path) -> Iterator[Settings]:
    """Kafka and ClickHouse on free ports, with the whole environment pointing there."""
    kafka, controller, http, rest, api = ports.free(5)
    os.environ.update(
        MILLRACE_DATA_DIR=str(folder),
        MILLRACE_KAFKA__BOOTSTRAP_SERVERS=f"127.0.0.1:{kafka}",
        MILLRACE_LOCAL__KAFKA_CONTROLLER_PORT=str(controller),
        MILLRACE_CLICKHOUSE__PORT=str(http),
        MILLRACE_FLINK__REST_PORT=str(rest),
        MILLRACE_API__PORT=str(api),
    )
    with program("local", "up", "--foreground", until="Ctrl-C stops them"):
        yield conf.load()


@contextmanager
def program(module: str, *arguments: str, until: str | None) -> Iterator[subprocess.Popen[str]]:
    """A program of Millrace's, from when it has said `until` if that is given, ended in order."""
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
            raise click.ClickException(f"{module} ended: what it said stands above")
        # Read on, so that it never waits for us.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
