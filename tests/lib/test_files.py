from pathlib import Path

import pytest

from lib import files


def test_a_file_has_its_old_text_until_the_new_one_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "note.json"
    files.replace(file, "one")
    with pytest.raises(UnicodeEncodeError):
        files.replace(file, "two, and what cannot be written: \ud800")
    assert file.read_text(encoding="utf-8") == "one"
    files.replace(file, "three")
    assert file.read_text(encoding="utf-8") == "three"


def test_a_path_is_shown_relative_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert files.show(tmp_path / "conf" / "a.yaml") == "conf/a.yaml"
    assert files.show(tmp_path.parent) == str(tmp_path.parent)
