"""One process at a time, by a file that the kernel unlocks when its holder dies."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from lib.errors import SetupError
from lib.processes import is_alive


@contextmanager
def held(file: Path, what: str, remedy: str) -> Iterator[None]:
    """Hold the file, with this process' id in it; raise SetupError if another process does."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as stream:
        if not _lock(stream, file):
            raise SetupError(f"{what} runs already (process {file.read_text()}); {remedy}")
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        try:
            yield
        finally:
            stream.truncate(0)


def _lock(stream: TextIO, file: Path) -> bool:
    # More than once: who only asks for the holder has the lock for a moment. On a busy machine that
    # can be long, but then the file names nobody who lives.
    for number in range(200):
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if number >= 10 and (pid := _named(file)) and is_alive(pid):
                return False
            time.sleep(0.01)
    return False


def _named(file: Path) -> int | None:
    """The id in the file, of its holder or of one that was killed."""
    text = file.read_text()
    return int(text) if text.isdigit() else None


@contextmanager
def own_folder(parent: Path, name: str) -> Iterator[Path]:
    """A new folder below this one, which goes with the block; those whose owners were killed go
    before it. Owners are told from the killed by a lock on each folder, not by ids of processes,
    which a container uses again."""
    parent.mkdir(parents=True, exist_ok=True)
    # Nobody takes a new folder for one that was left before its owner has locked it.
    with _folder_locked(parent, fcntl.LOCK_EX):
        for old in parent.iterdir():
            with suppress(OSError), _folder_locked(old, fcntl.LOCK_EX | fcntl.LOCK_NB):
                shutil.rmtree(old)
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
        mine = os.open(folder, os.O_RDONLY)
        fcntl.flock(mine, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(mine)


@contextmanager
def _folder_locked(folder: Path, how: int) -> Iterator[None]:
    number = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(number, how)
        yield
    finally:
        os.close(number)


def holder(file: Path) -> int | None:
    """The id of the process that holds the file, or None if none does."""
    try:
        with file.open("r") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return _named(file)
