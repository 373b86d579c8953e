"""A job can run with other SQL files; those of the benchmarks keep the contract of SQL files."""

import shutil
from pathlib import Path

import click
import pytest

from bench import job
from jobs import job as jobs
from lib import conf, sqlfiles
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("name", "inserts", "left", "calls"),
    [
        ("blackhole", ["nowhere"], {"nowhere"}, 0),
        ("no_rules", [], {"ticks", "candles_1m", "alerts"}, 3),
        (None, ["ticks"], {"ticks"}, 1),
    ],
)
def test_other_files_replace_those_of_the_same_number_and_inserts_are_left_out(
    tmp_path: Path, name: str | None, inserts: list[str], left: set[str], calls: int
) -> None:
    folder = shutil.copytree(ROOT / "sql" / "flink" / "stocks", tmp_path / "stocks")
    job.change(folder, ROOT / "bench" / "sql" / name if name else None, inserts)
    files = sqlfiles.load(folder)
    assert {file.name for file in files if file.kind == "insert"} == left
    loaded = jobs.of(conf.load(environ={}), "stocks", files)
    assert len(loaded.calls) == calls


def test_an_insert_that_is_not_there_is_told(tmp_path: Path) -> None:
    folder = shutil.copytree(ROOT / "sql" / "flink" / "stocks", tmp_path / "stocks")
    with pytest.raises(click.UsageError, match=r"^no insert tick; there are .*ticks"):
        job.change(folder, None, ["tick"])
