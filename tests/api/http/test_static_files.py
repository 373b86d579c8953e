"""Static files: compression, tags, edits."""

from pathlib import Path

import pytest

from api.http import static_files


@pytest.mark.parametrize(
    ("accepted", "packs"),
    [("gzip", True), ("deflate, GZIP ;q=0.5", True), ("gzip;q=1.0", True), ("", False),
     ("gzip;q=0", False), ("gzip; q=0.000, br", False), ("xgzip", False), ("br", False)],
)  # fmt: skip
def test_gzip_is_used_only_if_accepted(accepted: str, packs: bool) -> None:
    answer = static_files.respond(static_files.make_file("a.js", b"x" * 100), accepted, "")
    assert answer.headers.get("Content-Encoding") == ("gzip" if packs else None)


def test_an_edited_file_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static_files, "FOLDER", tmp_path)
    (tmp_path / "modules").mkdir()
    file = tmp_path / "modules" / "a.js"
    file.write_text("1")
    before = static_files.find("modules/a.js")
    assert before and before.plain[0] == b"1"
    file.write_text("22")
    after = static_files.find("modules/a.js")
    assert after and after.plain[0] == b"22"
    assert before.plain[1] != after.plain[1]
    (tmp_path / "notes.txt").write_text("x")
    assert [static_files.find(name) for name in ("notes.txt", "modules", "", "none.js")] == [
        None
    ] * 4
