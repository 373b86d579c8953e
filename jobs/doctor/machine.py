"""The machine, and what `make setup` has installed on it."""

import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from jobs.doctor.findings import Finding
from lib import jars, java
from lib.files import show
from lib.install import packages
from lib.install.__main__ import SUPPORTED
from lib.install.maven import sha256
from lib.jars import Jar
from lib.settings import Settings

_REINSTALL = "run `make clean setup`"

# With which pip builds others: they need not be there.
_BUILD_TOOLS = ("setuptools", "wheel")

# What the stack needs to run for a day, in GB.
_DISK = 2.0
_MEMORY = 1.0
# Bytes.
_GB = 1e9
_MEMORY_FILE = Path("/proc/meminfo")


def python() -> Iterator[Finding]:
    """The Python that runs, and the packages that it has."""
    version = ".".join(map(str, sys.version_info[:3]))
    wanted = " or ".join(f"{major}.{minor}" for major, minor in SUPPORTED)
    is_supported = sys.version_info[:2] in SUPPORTED
    yield Finding("python", version, "" if is_supported else f"use Python {wanted}")
    wrong = [*_other_packages()]
    fact = f"{len(wrong)} are not those of constraints.txt: {', '.join(wrong[:3])}"
    yield Finding(
        "packages", fact if wrong else "as in constraints.txt", _REINSTALL if wrong else ""
    )


def _other_packages() -> Iterator[str]:
    for line in packages.pinned(tools=False).splitlines():
        name, _, version = line.partition("==")
        if version and name not in _BUILD_TOOLS:
            try:
                present = metadata.version(name)
            except metadata.PackageNotFoundError:
                present = "none"
            if present != version:
                yield f"{name} {present}, not {version}"


def java_and_jars() -> Iterator[Finding]:
    """Java, and what Kafka and Flink load; raise SetupError for a lock file that is damaged."""
    home = java.java_home()
    yield Finding("java", f"{java.major_version(home)} in {show(home)}")
    wrong = [f"{jar.name} is {fact}" for jar in jars.locked() if (fact := _wrong(jar))]
    fact = ", ".join(wrong[:3]) if wrong else "as in lib/jgo.lock.toml"
    yield Finding("jars", fact, "run `make setup`" if wrong else "")
    version = metadata.version("apache-flink")
    dist = jars.FLINK_LIB / f"flink-dist-{version}.jar"
    yield Finding(
        "flink",
        version if dist.is_file() else f"{show(dist)} is missing",
        "" if dist.is_file() else _REINSTALL,
    )


def _wrong(jar: Jar) -> str:
    """What is wrong with a JAR; empty if nothing is."""
    path = jars.FOLDER / jar.place
    if not path.is_file():
        return "missing"
    return "" if sha256(path) == jar.sha256 else "not the locked one"


def room(config: Settings) -> Iterator[Finding]:
    """Room on the disk of the data, and in memory."""
    folder = next(f for f in [config.data_dir, *config.data_dir.parents] if f.exists())
    free = shutil.disk_usage(folder).free / _GB
    remedy = f"free {_DISK:g} GB, or set data_dir"
    yield Finding(
        "disk", f"{free:.1f} GB free for {show(config.data_dir)}", "" if free >= _DISK else remedy
    )
    if _MEMORY_FILE.exists():
        (line,) = (
            each
            for each in _MEMORY_FILE.read_text().splitlines()
            if each.startswith("MemAvailable:")
        )
        memory = int(line.split()[1]) * 1024 / _GB
        remedy = "end other programs"
        yield Finding("memory", f"{memory:.1f} GB available", "" if memory >= _MEMORY else remedy)
