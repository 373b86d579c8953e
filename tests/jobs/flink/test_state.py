import os
import time
from pathlib import Path

from jobs.flink import state


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


def test_a_job_that_started_from_its_sources_ignores_older_state(tmp_path: Path) -> None:
    save(tmp_path / "job1" / "chk-9", 100)
    state.begin(tmp_path)
    assert state.newest(tmp_path) is None
    newest = save(tmp_path / "job2" / "chk-1", int(time.time()) + 1)
    assert state.newest(tmp_path) == newest


def test_all_versions_of_a_job_can_start_from_the_sources(tmp_path: Path) -> None:
    for version in ("a", "b"):
        save(tmp_path / version / "job1" / "chk-9", 100)
    state.begin_all(tmp_path)
    assert [state.newest(tmp_path / version) for version in ("a", "b")] == [None, None]
    state.begin_all(tmp_path / "not there")


def test_options_have_the_folder_to_save_to_and_the_state_to_resume(tmp_path: Path) -> None:
    folder = tmp_path / "flink" / "stocks" / "a version"
    assert state.options(folder, None) == {"execution.checkpointing.dir": folder.as_uri()}
    resume = folder / "chk-1"
    assert state.options(folder, resume)["execution.state-recovery.path"] == resume.as_uri()
