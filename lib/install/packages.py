"""Make .venv, run pip with a line of progress, and explain a failure in one line.

Runs on the system's Python: the standard library only, and no syntax newer than Python 3.6.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from lib.errors import SetupError
from lib.install.place import ROOT, SETUP, Place

VENV = SETUP.venv
PYTHON = SETUP.python
CONSTRAINTS = ROOT / "constraints.txt"
PROJECT = ROOT / "pyproject.toml"
# .venv takes 1.8 GB with the tools, and pip's downloads another 0.7 while it works.
NEEDED_GB = 2.5
FREE_SOME = f"free {NEEDED_GB} GB"
KNOWN_FAILURES = [
    (r"Errno 28|No space left", "a disk is full", FREE_SOME),
    (r"Errno 122|quota exceeded", "the disk quota is used up", FREE_SOME),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "the package registry's certificate is not trusted",
        "tell pip your network's CA (pip config set global.cert FILE)",
    ),
    (
        "connection broken by|Max retries|Read timed out|ConnectionError|name resolution",
        "the package registry cannot be reached",
        "check the network, and pip's index-url and proxy",
    ),
]


def install(lock: int, keep: bool, tools: bool) -> None:
    """Install the pinned packages in .venv; make .venv first unless `keep` is true."""
    SETUP.log.write_text("", encoding="utf-8")
    if not keep:
        make_venv(lock)
    temporary = VENV / "tmp"
    temporary.mkdir(exist_ok=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--no-input", "--no-compile"]
    pip += ["--constraint", str(CONSTRAINTS), *requirements(tools)]
    total = len(re.findall("==", pinned(tools)))
    run(pip, lock, pip_environment(temporary), "asking for packages", total)
    shutil.rmtree(str(temporary), ignore_errors=True)


def make_venv(lock: int, place: Place = SETUP) -> None:
    """Make an empty environment in the place of what is there."""
    for module in ["venv", "ensurepip"]:
        if importlib.util.find_spec(module) is None:
            raise SetupError(no_module(sys.executable, module, sys.version_info[:2]))
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(str(place.venv))
    free_gb = shutil.disk_usage(str(ROOT)).free / 1e9
    if free_gb < NEEDED_GB:
        fact = f"{ROOT}: has {free_gb:.1f} GB left"
        raise SetupError(f"{fact}; {FREE_SOME}, then run `{place.command}`.")
    command = [sys.executable, "-m", "venv", str(place.venv)]
    run(command, lock, dict(os.environ), f"making {place.venv.name}", 0, place)


def no_module(python: str, module: str, version: "tuple[int, ...]") -> str:
    package = "python{}.{}-venv".format(*version)
    return (
        f"{python}: has no module {module}; install it (Debian and Ubuntu: apt install {package}), "
        "then run `make setup`."
    )


def requirements(tools: bool) -> "list[str]":
    # Not at the top: an older Python than 3.11 has no tomllib, and must reach its own error.
    import tomllib

    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *(project["optional-dependencies"]["dev"] if tools else [])]


def pinned(tools: bool) -> str:
    """The constraints, with or without those of the tools."""
    text = read(CONSTRAINTS)
    return text if tools else text.partition("\n# Tools")[0]


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def pip_environment(temporary: Path) -> "dict[str, str]":
    """The user's own, with the build tools pinned too, and temporary files on the disk of .venv."""
    return {
        **os.environ,
        "TMPDIR": str(temporary),
        # Names, because pip splits these at spaces, which a path may have.
        "PIP_CONSTRAINT": CONSTRAINTS.name,
        "PIP_BUILD_CONSTRAINT": CONSTRAINTS.name,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_PROGRESS_BAR": "off",
    }


def run(
    command: "list[str]",
    lock: int,
    environment: "dict[str, str]",
    what: str,
    total: int,
    place: Place = SETUP,
) -> None:
    """Run with all output in the log, and show the progress; raise SetupError if it fails."""
    with place.log.open("a") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=str(ROOT), env=environment, pass_fds=[lock]
        )
        try:
            watch(process, what, total, place)
        finally:
            process.wait()
    if process.returncode:
        raise SetupError(explain(read(place.log), place))


def watch(process: "subprocess.Popen[bytes]", what: str, total: int, place: Place) -> None:
    """Show the progress: on a terminal in one line, elsewhere in a line per step and per 10 s."""
    start = shown = time.monotonic()
    before = ""
    while process.poll() is None:
        step = progress(read(place.log), installed(place.venv), total) or what
        line = f"{place.name}: {step}, {clock(start)}"
        if sys.stdout.isatty():
            print(f"\r{line}\x1b[K", end="", flush=True)
        elif step.split()[0] != before or time.monotonic() - shown >= 10:
            print(line, flush=True)
            shown = time.monotonic()
        before = step.split()[0]
        time.sleep(0.2)
    if sys.stdout.isatty():
        print("\r\x1b[K", end="", flush=True)


def progress(log: str, count: int, total: int) -> str:
    """The step that pip is at, and how far it is, from its output; empty before it begins."""
    if "\nInstalling collected packages" in log:
        return f"installing packages, {count} of {total}"
    if "\nBuilding wheels" in log:
        return "building packages"
    names = re.findall(r"^(?:Collecting|Requirement already satisfied:) ([\w.-]+)", log, re.M)
    return f"downloading packages, {len(set(names))} of {total}" if names else ""


def installed(venv: Path) -> int:
    return sum(1 for _ in venv.glob("lib/python*/site-packages/*.dist-info"))


def explain(log: str, place: Place = SETUP) -> str:
    """The one line for a failed command, from its output."""
    again = f"then run `{place.command}`"
    for pattern, fact, remedy in KNOWN_FAILURES:
        if re.search(pattern, log):
            return f"{place.name}: {fact}; {remedy}, {again} ({place.log_name} has more)."
    lines = [line for line in log.splitlines() if line.strip()] or ["no output"]
    errors = [line for line in lines if re.match("error", line, re.I)] or lines
    return f"{place.name}: {errors[-1].strip()}; see {place.log_name}, {again}."


def clock(start: float) -> str:
    return "{}:{:02}".format(*divmod(int(time.monotonic() - start), 60))
