"""A job can run with other SQL files; those of the benchmarks keep the contract of SQL files."""

import shutil
from pathlib import Path

import pytest

from bench import job
from jobs import job as jobs
from lib import conf, sqlfiles
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("name", "inserts", "calls"),
    [("blackhole", ["nowhere"], 0), ("no_rules", [], 2), (None, ["ticks"], 1)],
)
def test_other_files_replace_those_of_the_same_number_and_inserts_are_left_out(
    tmp_path: Path, name: str | None, inserts: list[str], calls: int
) -> None:
    folder = shutil.copytree(ROOT / "sql" / "flink" / "stocks", tmp_path / "stocks")
    before = len(sqlfiles.load(folder))
    job.change(folder, ROOT / "bench" / "sql" / name if name else None, inserts)
    files = sqlfiles.load(folder)
    assert len(files) == before - len(inserts)
    loaded = jobs.of(conf.load(environ={}), "stocks", files)
    assert len(loaded.calls) == calls
