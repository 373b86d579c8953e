"""Where something is installed, and the lock of the one installation that may run there.

Runs on the system's Python: the standard library only, and no syntax newer than Python 3.6.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Place(NamedTuple):
    """What messages call the installation, its environment and log, and the command to repeat."""

    name: str
    venv: Path
    log: Path
    command: str

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def log_name(self) -> str:
        return os.path.relpath(str(self.log), str(ROOT))


SETUP = Place("setup", ROOT / ".venv", ROOT / "var" / "log" / "setup.log", "make setup")


@contextlib.contextmanager
def only_one(place: Place = SETUP) -> "Iterator[int]":
    """Hold the lock of the one installation that may run; wait until another one ends."""
    place.log.parent.mkdir(parents=True, exist_ok=True)
    with place.log.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{place.name}: waiting for another set-up to end.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        # Children inherit it: a pip that outlives a killed set-up still holds it.
        yield lock.fileno()
