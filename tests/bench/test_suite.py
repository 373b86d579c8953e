"""A quick run, on a real stack, with contenders that need no installation."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import figures, tables
from tests.conftest import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

TICKS = 20_000
NAMES = ("loop", "loop-kafka-python", "limit-consume", "limit-insert")


def test_a_quick_run_stores_the_figures_of_each_contender(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    options = [f"--ticks={TICKS}", f"--json={file}", *(f"--only={name}" for name in NAMES)]
    ended = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "drain", *options],
        cwd=ROOT,
        env={name: text for name, text in os.environ.items() if not name.startswith("MILLRACE_")},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"stored in {file}" in ended.stdout
    # So few are stored at once, unless the machine is slow.
    rate = r"(?:[\d,]+ a second|too few records for a rate)"
    assert re.search(rf"loop-kafka-python: first row after [\d.]+ s, {rate}, ", ended.stdout)
    run = json.loads(file.read_text(encoding="utf-8"))
    assert run["commit"] and run["is_quick"] and run["drain"]["ticks"] == TICKS
    assert run["drain"]["contenders"].keys() == {*NAMES} == run["contenders"].keys()
    for name in NAMES:
        (found,) = figures.drained(run, name)
        assert found["is_complete"] and found["rows"] == TICKS and found["first_row_s"] > 0
        assert found["memory_peak_mb"].keys() >= {"python", "broker", "clickhouse"}
        assert found["cpu_before_first_row_s"]["python"] > 0
    assert len(tables.drain(run).splitlines()) == 2 + len(NAMES)
