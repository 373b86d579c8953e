"""A job can run with other SQL files; those of the benchmarks keep the contract of SQL files."""

import shutil
from pathlib import Path

import pytest

from bench import job
from jobs import job as jobs
from lib import conf, sqlfiles
from tests.conftest import ROOT


@pytest.mark.parametrize("name", ["blackhole", "no_rules"])
def test_other_files_replace_those_of_the_same_number(tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(ROOT / "sql" / "flink" / "stocks", tmp_path / "stocks")
    before = len(sqlfiles.load(folder))
    job.replace(folder, ROOT / "bench" / "sql" / name)
    files = sqlfiles.load(folder)
    assert len(files) == before
    loaded = jobs.of(conf.load(environ={}), "stocks", files)
    assert len(loaded.calls) == (0 if name == "blackhole" else 1)
