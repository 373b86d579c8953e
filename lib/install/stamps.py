"""Stamps in .venv that say from what it was installed. A stamp is removed before the work begins,
and written when the work has ended.

Runs on the system's Python: the standard library only, and no syntax newer than Python 3.6.
"""

import contextlib
import hashlib
from pathlib import Path

from lib.install.packages import PROJECT, PYTHON, VENV, pinned, read
from lib.install.place import ROOT

PACKAGES = VENV / "packages.stamp"
TOOLS = VENV / "tools.stamp"
JARS = VENV / "jars.stamp"
# Each with the pattern of the files in it: the JARs, Flink's class path, the archives of classes.
JAR_FOLDERS = {ROOT / "lib" / "jars": "*/*", VENV / "flink-lib": "*", VENV / "class-data": "*.jsa"}
# What says which JARs there are, and what is made of them.
JAR_FILES = [
    ROOT / "lib" / name
    for name in ("jgo.toml", "jgo.lock.toml", "install/flink_lib.py", "install/class_data.py")
]


def is_done(tools: bool) -> bool:
    """Whether everything that a run needs is installed, and the tools if they are wanted."""
    return are_packages_done(tools) and _is_valid(JARS)


def are_packages_done(tools: bool) -> bool:
    return PYTHON.exists() and all(map(_is_valid, [PACKAGES, TOOLS] if tools else [PACKAGES]))


def outdated(tools: bool) -> "list[Path]":
    """The stamps of the packages to install: a .venv that has tools keeps them, in the versions
    that fit."""
    if _is_valid(PACKAGES):
        return [TOOLS]
    return [PACKAGES, TOOLS] if tools or TOOLS.exists() else [PACKAGES]


def is_of_this_folder() -> bool:
    """Whether .venv was made in this folder, since it cannot be moved, and is not half done."""
    return PYTHON.exists() and read(PACKAGES).startswith(f"{ROOT}\n")


def write(*stamps: Path) -> None:
    for stamp in stamps:
        stamp.write_text(_expected(stamp), encoding="utf-8")


def remove(*stamps: Path) -> None:
    for stamp in stamps:
        with contextlib.suppress(FileNotFoundError):
            stamp.unlink()


def _is_valid(stamp: Path) -> bool:
    return read(stamp) == _expected(stamp)


def _expected(stamp: Path) -> str:
    if stamp == JARS:
        # Their sizes show a missing or incomplete file at no cost.
        jars = [
            f"{jar.relative_to(folder)} {jar.stat().st_size}"
            for folder, names in JAR_FOLDERS.items()
            for jar in folder.glob(names)
        ]
        return "\n".join([_digest(*map(read, JAR_FILES)), *sorted(jars)])
    # The tools' settings are in the same file; a change there needs no installation.
    end = "\n[tool." if stamp == TOOLS else "\n[project.optional-dependencies]"
    project = read(PROJECT).partition(end)[0]
    return f"{ROOT}\n{_digest(project, pinned(stamp == TOOLS))}\n"


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8")).hexdigest()
