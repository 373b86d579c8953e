import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from jobs.job import lock_file
from jobs.run import stopping
from lib import conf
from lib.errors import JobError
from lib.settings import Settings
from tests.conftest import ROOT

HOLD = """
import signal, sys, time
from pathlib import Path
from lib import locks

signal.signal(signal.SIGTERM, signal.{handler})
with locks.held(Path(sys.argv[1]), "job x", "stop it"):
    print("held", flush=True)
    time.sleep(600)
"""

Run = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def config(tmp_path: Path) -> Settings:
    return msgspec.structs.replace(conf.load(environ={}), data_dir=tmp_path)


@pytest.fixture
def run(config: Settings) -> Iterator[Run]:
    """Start a process that holds the job's lock, and does this with SIGTERM."""
    started = []

    def start(handler: str) -> "subprocess.Popen[str]":
        code = HOLD.format(handler=handler)
        command = [sys.executable, "-c", code, str(lock_file(config, "x"))]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        with process:
            process.kill()


def test_it_returns_when_the_job_has_ended(config: Settings, run: Run) -> None:
    process = run("SIG_DFL")
    lines: list[str] = []
    stopping.stop(config, "x", lines.append)
    assert lines == [
        f"stopping job x (process {process.pid}) with a savepoint",
        "job x stopped",
    ]


def test_a_job_that_does_not_stop_is_an_error(
    config: Settings, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = run("SIG_IGN")
    monkeypatch.setattr(stopping, "STOP_LIMIT", 0.2)
    with pytest.raises(JobError, match=rf"^job x: still runs after 0 s; see .+ {process.pid}\.$"):
        stopping.stop(config, "x", print)
