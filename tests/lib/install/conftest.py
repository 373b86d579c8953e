"""A copy of the files that a set-up reads."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
COPIED = ["pyproject.toml", "constraints.txt", "lib/__init__.py", "lib/install", "lib/errors.py"]
COPIED += ["lib/jgo.toml", "lib/jgo.lock.toml"]
# A port of this machine on which nothing listens.
NO_REGISTRY = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose set-up has not run."""
    return copy_to(tmp_path)


def copy_to(folder: Path) -> Path:
    """Copy what a set-up reads; the path has a space, as users' paths do."""
    copy = folder / "a project"
    for name in COPIED:
        place = copy / name
        place.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, place)
    return copy


def python(project: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, **NO_REGISTRY},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def set_up(project: Path, *arguments: str) -> tuple[int, str, str]:
    with python(project, "-m", "lib.install", *arguments) as process:
        out, err = process.communicate(timeout=360)
        return process.returncode, out, err


def pretend_done(project: Path, stamps: str = "s.PACKAGES, s.TOOLS, s.JARS") -> None:
    """Leave the files of a finished set-up that the next one looks at, and a Python that only
    writes down its arguments."""
    for name in [".venv/bin/python", "lib/jars/kafka/a.jar", ".venv/class-data/flink.jsa"]:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text('#!/bin/sh\necho "$@" >> "$0.calls"\n')
    (project / ".venv/bin/python").chmod(0o755)
    ask(project, f"s.write({stamps})")


def calls(project: Path) -> list[str]:
    """The arguments of each call of that Python."""
    return (project / ".venv/bin/python.calls").read_text().splitlines()


def is_done(project: Path, tools: bool = False) -> bool:
    return ask(project, f"print(s.is_done({tools}))") == "True\n"


def ask(project: Path, code: str) -> str:
    with python(project, "-c", f"from lib.install import stamps as s; {code}") as process:
        out, err = process.communicate()
        assert process.returncode == 0, err
        return out
