from pathlib import Path

import msgspec
import pytest

from jobs import job
from lib import conf
from lib.sqlfiles import SqlFile


def version(*texts: str) -> str:
    return job.version([SqlFile(1, "view", "x", "x.sql", text) for text in texts])


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a,  'b c'\n\tFROM t",
        "-- One row.\nSELECT a, 'b c' FROM t",
        "SELECT a, /* it's */ 'b c' -- '\nFROM t\n",
        "/* x */-- y\nSELECT a, 'b c'/**/FROM t",
    ],
)
def test_comments_and_white_space_make_no_version(text: str) -> None:
    assert version(text) == version("SELECT a, 'b c' FROM t")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a, 'b  c' FROM t",
        "SELECT a, 'b\nc' FROM t",
        "SELECT a, 'b c ' FROM t",
        "SELECT a, 'b -- c' FROM t",
        "SELECT a, 'b/* */ c' FROM t",
        "SELECT A, 'b c' FROM t",
        "SELECT a, 'b c' FROM `t `",
    ],
)
def test_what_a_string_or_a_name_says_makes_a_version(text: str) -> None:
    assert version(text) != version("SELECT a, 'b c' FROM t")


def test_strings_that_look_like_comments_are_told_apart() -> None:
    assert version("SELECT '--a'") != version("SELECT '--b'")
    assert version("SELECT '/*a*/'") != version("SELECT '/*b*/'")


def test_order_and_number_of_files_make_a_version() -> None:
    assert len({version("a", "b"), version("b", "a"), version("a b"), version("a")}) == 4


def test_a_job_is_all_that_its_files_say(tmp_path: Path) -> None:
    config = msgspec.structs.replace(conf.load(environ={}), data_dir=tmp_path)
    found = job.load(config, "stocks")
    assert found.name == "stocks" and found.files[0].number == 100
    assert found.topics == (config.kafka.topic,) and found.reads_committed
    assert [call.target.table for call in found.calls] == ["stocks.ticks"]
    assert found.state == tmp_path / "flink" / "stocks" / found.version
    assert found.state.parent == found.states
