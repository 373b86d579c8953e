"""A quick run, on a real stack, with contenders that need no installation."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import figures, tables
from bench.api import suite
from tests.conftest import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

TICKS = 20_000
NAMES = ("loop", "loop-kafka-python", "limit-consume", "limit-insert")


def quick(*arguments: str) -> str:
    """What a quick run prints."""
    ended = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", *arguments],
        cwd=ROOT,
        env={name: text for name, text in os.environ.items() if not name.startswith("MILLRACE_")},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_a_quick_run_stores_the_figures_of_each_contender(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    options = [f"--ticks={TICKS}", f"--json={file}", *(f"--only={name}" for name in NAMES)]
    printed = quick("drain", *options)
    assert f"stored in {file}" in printed
    # So few are stored at once, unless the machine is slow.
    rate = r"(?:[\d,]+ a second|too few records for a rate)"
    assert re.search(rf"loop-kafka-python: first row after [\d.]+ s, {rate}, ", printed)
    run = json.loads(file.read_text(encoding="utf-8"))
    assert run["commit"] and run["is_quick"] and run["drain"]["ticks"] == TICKS
    assert run["drain"]["contenders"].keys() == {*NAMES} == run["contenders"].keys()
    for name in NAMES:
        (found,) = figures.drained(run, name)
        assert found["is_complete"] and found["rows"] == TICKS and found["first_row_s"] > 0
        assert found["memory_peak_mb"].keys() >= {"python", "broker", "clickhouse"}
        assert found["cpu_before_first_row_s"]["python"] > 0
    assert len(tables.drain(run).splitlines()) == 2 + len(NAMES)


def test_the_api_is_measured_at_each_size_and_with_many_clients(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    assert "  1 million rows, /api/latest: " in quick("api", f"--json={file}")
    found = json.loads(file.read_text(encoding="utf-8"))["api"]
    assert "failures" not in found and found["millions"] == [1]
    assert found["endpoints"].keys() == {*suite.ADDRESSES}
    for by_size in found["endpoints"].values():
        assert by_size["1"]["pairs"] >= 10 and by_size["1"]["api_ms"] > 0
    assert found["clients"].keys() == {str(number) for number in suite.CLIENTS}
    for ways in found["clients"].values():
        assert ways["api"]["rate"] > 0 and ways["clickhouse"].keys() == ways["api"].keys()
