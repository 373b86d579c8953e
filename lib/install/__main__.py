"""What `make setup` runs: makes .venv, installs the pinned packages, fetches the JARs.

Runs on the system's Python before anything is installed: the standard library only, and no syntax
newer than Python 3.6, so that an old Python gets one line instead of a SyntaxError.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from lib.errors import SetupError
from lib.install import packages
from lib.install.packages import CONSTRAINTS, LOG, PROJECT, PYTHON, ROOT, VENV

JARS = ROOT / "lib" / "jars"
JAR_FILES = [ROOT / "lib" / "jgo.toml", ROOT / "lib" / "jgo.lock.toml"]
PACKAGES_STAMP = VENV / "packages.stamp"
STAMP = VENV / "setup.stamp"
SUPPORTED = [(3, 11), (3, 12)]


def main() -> int:
    try:
        if is_done():
            return 0
        use_supported_python()
        with only_one() as lock:
            return 0 if is_done() else set_up(lock)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nsetup: interrupted; `make setup` takes it up again.", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"setup: {error}; mend that, then run `make setup`.", file=sys.stderr)
        return 2


def set_up(lock: int) -> int:
    """Do what is not done; a stamp goes before its work begins and comes when it has ended."""
    start = time.monotonic()
    remove(STAMP)
    if not PYTHON.exists() or read(PACKAGES_STAMP) != packages_stamp():
        # Half done, or moved: pip cannot be relied on to mend that.
        keep = PYTHON.exists() and read(PACKAGES_STAMP).startswith(f"{ROOT}\n")
        remove(PACKAGES_STAMP)
        packages.install(lock, keep)
        PACKAGES_STAMP.write_text(packages_stamp(), encoding="utf-8")
    code = subprocess.call([str(PYTHON), "-m", "lib.install.maven"], cwd=str(ROOT), pass_fds=[lock])
    if code == 0:
        STAMP.write_text(setup_stamp(), encoding="utf-8")
        print(f"setup: done in {packages.clock(start)}.", flush=True)
    return code


def is_done() -> bool:
    return PYTHON.exists() and read(STAMP) == setup_stamp()


def packages_stamp() -> str:
    """Where .venv was made, for it cannot be moved, and from what."""
    # The tools' own settings are in the same file, and no reason to install again.
    project = read(PROJECT).partition("\n[tool.")[0]
    return f"{ROOT}\n{digest(project, read(CONSTRAINTS))}\n"


def setup_stamp() -> str:
    """The packages, and which JARs are there: a missing or cut one shows, at no cost."""
    jars = [f"{jar.relative_to(JARS)} {jar.stat().st_size}" for jar in JARS.glob("*/*")]
    return packages_stamp() + "\n".join([digest(*map(read, JAR_FILES)), *sorted(jars)])


def digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8")).hexdigest()


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def remove(file: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        file.unlink()


def use_supported_python() -> None:
    """Go on if this Python is supported, else start again with one that is on PATH."""
    if sys.version_info[:2] in SUPPORTED:
        return
    for major, minor in reversed(SUPPORTED):
        # Run, not only found: a version manager's stand-in may be there without its Python.
        python = shutil.which(f"python{major}.{minor}")
        if python and subprocess.call([python, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            os.execv(python, [python, "-m", "lib.install"])
    raise SetupError(wrong_python(sys.executable, sys.version_info))


def wrong_python(place: str, version: "Sequence[object]") -> str:
    return (
        f"{place}: is Python {version[0]}.{version[1]}, and neither python3.12 nor python3.11 is "
        "on PATH; install Python 3.11 or 3.12, then run `make setup`."
    )


@contextlib.contextmanager
def only_one() -> "Iterator[int]":
    """Hold the lock of the one set-up that may run; wait for another one to end."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with (LOG.parent / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("setup: waiting for another set-up to end.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        # Children inherit it, so that a pip that outlives a killed set-up is waited for too.
        yield lock.fileno()


if __name__ == "__main__":
    sys.exit(main())
