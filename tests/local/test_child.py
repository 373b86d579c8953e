"""How many times, and after which pause, a program is started again."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from local import child
from tests.conftest import ROOT


def start(file: Path, early_ends: int, seconds_ago: float) -> subprocess.CompletedProcess[str]:
    """A start after this many early ends in a row; the start before it was so many seconds ago."""
    file.write_text(f"{early_ends} {time.monotonic() - seconds_ago}")
    command = [sys.executable, "-c", "print('runs')"]
    return subprocess.run(
        [sys.executable, "-m", "local.child", "job", "1000", str(file), *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
    )


@pytest.mark.parametrize(
    ("early_ends", "seconds_ago", "counted"),
    # The first early end, and a steady run after as many early ends as the limit allows.
    [(0, 10, 1), (child.LIMIT, 1001, 0)],
)
def test_a_program_that_ended_is_started_again_at_once(
    tmp_path: Path, early_ends: int, seconds_ago: float, counted: int
) -> None:
    file = tmp_path / "job.starts"
    done = start(file, early_ends, seconds_ago)
    first, second = done.stdout.splitlines()
    assert first.startswith("job ended after ") and first.endswith(" s; it is started again")
    assert (second, done.returncode) == ("runs", 0)
    assert file.read_text().split()[0] == str(counted)


def test_a_program_that_ends_early_too_often_stays_down(tmp_path: Path) -> None:
    done = start(tmp_path / "job.starts", child.LIMIT, 10)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "job ended 6 times in a row within 1000 s of its start; it stays down until it is started "
        "by hand, and the other programs keep running.\n"
    )
