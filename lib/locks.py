"""Locks between processes, which the kernel releases when their holder dies."""

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
    """Lock the file and write this process' id to it; raise SetupError if another process does."""
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
    # Several attempts: holder() takes the lock for a moment. On a busy machine that may be long,
    # but then the file names no living process.
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
    """Make a new folder below this one, and remove it after the block. Folders of owners that were
    killed are removed first: a living owner holds a lock on its folder. Process ids would not do,
    because a container uses them again."""
    parent.mkdir(parents=True, exist_ok=True)
    # A new folder would look abandoned until its owner has locked it.
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
