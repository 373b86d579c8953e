"""What the installation takes on the disk, and what a demo takes of the memory."""

import re
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import psutil

from bench import recovery, running
from bench.contenders import Contender
from bench.failures import failures
from bench.sizes import Sizes
from bench.soak import sample
from bench.stack import console
from lib import class_data, jars
from lib.conf import ROOT
from lib.settings import Settings

# How long a demo runs before its memory is read, in seconds.
REST = 20.0
UNITS = {"kB": 1e-3, "KB": 1e-3, "MB": 1.0, "GB": 1e3}


def section(
    config: Settings, contenders: Sequence[Contender], sizes: Sizes, into: dict[str, Any]
) -> None:
    """Read sizes, start a demo, and read its memory."""
    into |= {"installed_mb": installed(), "downloaded_mb": downloaded()}
    with (
        failures("demo", into),
        running.task(config, "ticks") as given,
        recovery.demo(given),
    ):
        time.sleep(REST)
        into["at_rest_mb"] = memory(given.state)
    console.print(f"  {into}")


def installed() -> dict[str, float]:
    """The sizes of what a run needs: packages, JARs, and what the set-up makes of them; and of what
    the tools add."""
    needed, _, tools = (ROOT / "constraints.txt").read_text(encoding="utf-8").partition("\n# Tools")
    return {
        "packages": packages(needed),
        "jars": round(sum(file.stat().st_size for file in jars.FOLDER.rglob("*.jar")) / 1e6, 1),
        "made": round(sum(map(made, (class_data.FOLDER, jars.FLINK_LIB))) / 1e6, 1),
        "tools": packages(tools),
    }


def packages(constraints: str) -> float:
    """The size of the files of those of these packages that are installed, in MB."""
    size = 0
    for name in re.findall(r"^([\w.-]+)==", constraints, re.MULTILINE):
        with suppress(PackageNotFoundError):
            files = distribution(name).files or []
            size += total(Path(str(file.locate())) for file in files)
    return round(size / 1e6, 1)


def made(folder: Path) -> int:
    """The size of the files of a folder that are no links to those of packages."""
    return total(file for file in folder.rglob("*") if not file.is_symlink())


def total(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size for file in files if file.is_file())


def downloaded(log: Path = ROOT / "var" / "log" / "setup.log") -> float | None:
    """What pip has downloaded, by its log, and the JARs, in MB; None without a log that says it."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    sizes = re.findall(r"^\s*Downloading \S+ \(([\d.]+) ([kKMG]B)\)", text, re.MULTILINE)
    # The log of a later set-up has only what that has added.
    if "Downloading chdb_core" not in text:
        return None
    archives = sum(float(number) * UNITS[unit] for number, unit in sizes)
    return round(archives + installed()["jars"], 1)


def memory(folder: Path) -> dict[str, float]:
    """The memory of each program of a stack, in MB: a page that processes share counts in parts
    (PSS), so that their sum is what the machine lacks."""
    found: dict[str, float] = {}
    for name, process in sample.processes(folder):
        with suppress(psutil.Error):
            size = psutil.Process(int(process.name)).memory_full_info().pss / 1e6
            found[name] = round(found.get(name, 0.0) + size, 1)
    return found
