"""A stack of its own: Kafka and ClickHouse on free ports, with all their data in one folder."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lib import conf, ports
from lib.conf import ROOT
from lib.errors import SetupError
from lib.processes import end_with_parent
from lib.settings import Settings


@contextmanager
def running(folder: Path) -> Iterator[Settings]:
    """Kafka and ClickHouse, with the whole environment pointing there during the block."""
    before = dict(os.environ)
    os.environ.update(place(folder))
    try:
        with program("local", "up", "--foreground", until="Ctrl-C stops them"):
            yield conf.load()
    finally:
        os.environ.clear()
        os.environ.update(before)


def place(folder: Path) -> dict[str, str]:
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
def program(
    module: str, *arguments: str, until: str | None, environ: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Run a program of Millrace, after it has printed `until` if that is not None; raise SetupError
    if it ends before. By default it has the environment of this process."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=end_with_parent,
    )
    assert process.stdout
    try:
        if until and not any(until in line for line in process.stdout):
            raise SetupError(f"{module} ended; see its output above.")
        # Read on: a full pipe would block it.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
