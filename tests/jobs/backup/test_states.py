import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from jobs.backup import states
from jobs.flink import state
from lib.errors import BackupError


def save(folder: Path, time: int) -> Path:
    """A checkpoint or savepoint, as of this second."""
    folder.mkdir(parents=True)
    (folder / "_metadata").write_text(f"state of {time}")
    os.utime(folder / "_metadata", (time, time))
    return folder


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The states of a job with two versions, of which the newer was begun again once."""
    job = tmp_path / "flink" / "stocks"
    save(job / "old" / "savepoint-1", 100)
    save(job / "new" / "id" / "chk-1", 200)
    save(job / "new" / "id" / "chk-8", 400)
    save(job / "new" / "id" / "chk-9", 500)
    (job / "new" / "id" / "shared").mkdir()
    (job / "new" / "id" / "shared" / "file").write_text("part of a state")
    (job / "new" / "begun").touch()
    os.utime(job / "new" / "begun", (300, 300))
    (job / "offsets.json").write_text("{}")
    (job / "offsets.json.new").write_text("not complete")
    return tmp_path / "flink"


def test_a_copy_has_the_newest_state_of_each_version(saved: Path, tmp_path: Path) -> None:
    copied = states.copy(saved, tmp_path / "copy")
    assert copied == {"stocks": ["stocks/new/id/chk-9", "stocks/old/savepoint-1"]}
    files = {str(f.relative_to(tmp_path / "copy")) for f in (tmp_path / "copy").rglob("*.*")}
    assert files == {"stocks/offsets.json"}
    assert not (tmp_path / "copy" / "stocks" / "new" / "id" / "chk-8").exists()
    assert (tmp_path / "copy" / "stocks" / "new" / "id" / "shared" / "file").exists()


def test_a_restored_state_is_the_newest_and_one_from_before_the_start_is_not_used(
    saved: Path, tmp_path: Path
) -> None:
    save(saved / "stocks" / "other" / "id" / "chk-3", 600)
    (saved / "stocks" / "other" / "begun").touch()
    states.copy(saved, tmp_path / "copy")
    states.remove(saved)
    assert not states.has_any(saved)
    states.restore(tmp_path / "copy", saved)
    assert states.has_any(saved)
    job = saved / "stocks"
    assert state.newest(job / "new") == job / "new" / "id" / "chk-9"
    assert state.newest(job / "other") is None


def test_a_checkpoint_that_is_replaced_while_it_is_copied_is_left_out(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copytree = shutil.copytree

    def copy(source: Path, to: Path, **options: Any) -> Path:
        if source.name == "chk-9":
            save(source.with_name("chk-10"), 600)
            shutil.rmtree(source)
        return Path(copytree(source, to, **options))

    monkeypatch.setattr(shutil, "copytree", copy)
    copied = states.copy(saved, tmp_path / "copy")
    assert copied["stocks"][0] == "stocks/new/id/chk-10"
    assert not (tmp_path / "copy" / "stocks" / "new" / "id" / "chk-9").exists()


def test_checkpoints_that_are_always_replaced_are_an_error(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy(source: Path, to: Path, **options: Any) -> None:
        raise FileNotFoundError(source)

    monkeypatch.setattr(shutil, "copytree", copy)
    with pytest.raises(BackupError, match=r"new: its checkpoints were removed while they were"):
        states.copy(saved, tmp_path / "copy")


def test_without_a_state_there_is_nothing_to_copy_or_restore(tmp_path: Path) -> None:
    assert states.copy(tmp_path / "flink", tmp_path / "copy") == {}
    states.restore(tmp_path / "copy", tmp_path / "flink")
    assert not states.has_any(tmp_path / "flink")
