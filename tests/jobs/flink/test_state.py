import os
import time
from pathlib import Path

import pytest

from jobs.flink import state
from lib.sqlfiles import SqlFile


def version(*texts: str) -> str:
    return state.version([SqlFile(1, "view", "x", "x.sql", text) for text in texts])


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


def save(folder: Path, second: int, complete: bool = True) -> Path:
    folder.mkdir(parents=True)
    (folder / "op-1").write_text("state")
    if complete:
        (folder / "_metadata").write_text("")
        os.utime(folder / "_metadata", (second, second))
    return folder


def test_the_newest_complete_one_is_taken(tmp_path: Path) -> None:
    assert state.newest(tmp_path / "missing") is None
    assert state.newest(tmp_path) is None
    save(tmp_path / "job1" / "chk-9", 100)
    save(tmp_path / "job2" / "chk-10", 0, complete=False)
    assert state.newest(tmp_path) == tmp_path / "job1" / "chk-9"
    savepoint = save(tmp_path / "savepoint-1", 200)
    assert state.newest(tmp_path) == savepoint
    newest = save(tmp_path / "job2" / "chk-1", 300)
    assert state.newest(tmp_path) == newest


def test_a_job_that_began_anew_leaves_older_state(tmp_path: Path) -> None:
    save(tmp_path / "job1" / "chk-9", 100)
    state.begin(tmp_path)
    assert state.newest(tmp_path) is None
    newest = save(tmp_path / "job2" / "chk-1", int(time.time()) + 1)
    assert state.newest(tmp_path) == newest


def test_a_job_can_begin_anew_in_all_its_versions(tmp_path: Path) -> None:
    for version in ("a", "b"):
        save(tmp_path / version / "job1" / "chk-9", 100)
    state.begin_all(tmp_path)
    assert [state.newest(tmp_path / version) for version in ("a", "b")] == [None, None]
    state.begin_all(tmp_path / "not there")


def test_options_name_where_to_save_and_what_to_resume(tmp_path: Path) -> None:
    folder = state.folder(tmp_path, "stocks", [])
    assert folder.parent == tmp_path / "flink" / "stocks"
    assert state.options(folder, None) == {"execution.checkpointing.dir": folder.as_uri()}
    resume = folder / "chk-1"
    assert state.options(folder, resume)["execution.state-recovery.path"] == resume.as_uri()
