"""`python -m lib.install [tools]`: make .venv, install the pinned packages, fetch the JARs.

`make` runs it on the system's Python before anything is installed: the standard library only, and
no syntax newer than Python 3.6, so that an old Python gets one line instead of a SyntaxError.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence

from lib.errors import SetupError
from lib.install import packages, stamps
from lib.install.packages import PYTHON
from lib.install.place import ROOT, only_one

SUPPORTED = [(3, 11), (3, 12)]


def main(tools: bool) -> int:
    """Install what is missing: what a run needs, and linters, test tools and browser drivers if
    `tools` are wanted."""
    try:
        if stamps.is_done(tools):
            return 0
        use_supported_python()
        with only_one() as lock:
            return 0 if stamps.is_done(tools) else set_up(lock, tools)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nsetup: interrupted; run `make setup` again to continue.", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"setup: {error}; fix that, then run `make setup`.", file=sys.stderr)
        return 2


def set_up(lock: int, tools: bool) -> int:
    start = time.monotonic()
    if not stamps.are_packages_done(tools):
        install_packages(lock, tools)
    stamps.remove(stamps.JARS)
    code = subprocess.call([str(PYTHON), "-m", "lib.install.maven"], cwd=str(ROOT), pass_fds=[lock])
    if code == 0:
        stamps.write(stamps.JARS)
        print(f"setup: done in {packages.clock(start)}.", flush=True)
    return code


def install_packages(lock: int, tools: bool) -> None:
    keep = stamps.is_of_this_folder()
    # Valid stamps stay: if the tools cannot be installed, everything that a run needs still is.
    wanted = stamps.outdated(tools)
    stamps.remove(*wanted)
    packages.install(lock, keep, stamps.TOOLS in wanted)
    stamps.write(*wanted)


def use_supported_python() -> None:
    """Return if this Python is supported, else start again with one that is on PATH."""
    if sys.version_info[:2] in SUPPORTED:
        return
    for major, minor in reversed(SUPPORTED):
        # Run it: a version manager may have a stand-in on PATH without that Python.
        python = shutil.which(f"python{major}.{minor}")
        if python and subprocess.call([python, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            os.execv(python, [python, "-m", "lib.install", *sys.argv[1:]])
    raise SetupError(wrong_python(sys.executable, sys.version_info))


def wrong_python(place: str, version: "Sequence[object]") -> str:
    return (
        f"{place}: is Python {version[0]}.{version[1]}, and neither python3.12 nor python3.11 is "
        "on PATH; install Python 3.11 or 3.12, then run `make setup`."
    )


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["tools"]):
        sys.exit("usage: python -m lib.install [tools]")
    sys.exit(main(sys.argv[1:] == ["tools"]))
