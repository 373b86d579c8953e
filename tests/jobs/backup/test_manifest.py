from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from jobs.backup import manifest
from jobs.backup.manifest import Manifest
from lib.errors import BackupError


@pytest.fixture
def made(tmp_path: Path) -> Manifest:
    """A backup of two files in tmp_path."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_text("first")
    (tmp_path / "b").write_text("second")
    sizes: list[int] = []
    files = manifest.contents(tmp_path, sizes.append)
    assert sizes == [6, 5] and [*files] == ["b", "folder/a"]
    now = datetime(2026, 11, 26, tzinfo=UTC)
    made = Manifest(
        manifest.LAYOUT, now, now, "26.9", ["stocks"], {"stocks.ticks": 3}, [], {}, files
    )
    manifest.write(tmp_path, made)
    return made


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path, made: Manifest) -> None:
    assert manifest.read(tmp_path) == made
    manifest.verify(tmp_path, made, lambda _: None)


@pytest.mark.parametrize("text", ["second!", "secone", ""])
def test_a_changed_file_is_named(tmp_path: Path, made: Manifest, text: str) -> None:
    (tmp_path / "b").write_text(text)
    with pytest.raises(BackupError, match=r"/b: not as it was written; take another backup"):
        manifest.verify(tmp_path, made, lambda _: None)


def test_a_missing_file_is_named(tmp_path: Path, made: Manifest) -> None:
    (tmp_path / "folder" / "a").unlink()
    with pytest.raises(BackupError, match=r"/folder/a: missing; take another backup"):
        manifest.verify(tmp_path, made, lambda _: None)


def test_a_folder_without_a_manifest_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"not a backup, for it has no manifest.json"):
        manifest.read(tmp_path)


def test_a_manifest_that_is_cut_off_is_refused(tmp_path: Path, made: Manifest) -> None:
    file = tmp_path / manifest.FILE
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(BackupError, match=r"manifest.json: cannot be read: .*; take another"):
        manifest.read(tmp_path)


def test_another_layout_is_refused(tmp_path: Path, made: Manifest) -> None:
    manifest.write(tmp_path, msgspec.structs.replace(made, layout=manifest.LAYOUT + 1))
    with pytest.raises(BackupError, match="has layout 2, and this version reads 1"):
        manifest.read(tmp_path)
