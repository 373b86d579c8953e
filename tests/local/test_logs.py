"""Log files that grow, are truncated, or do not exist yet."""

import threading
from pathlib import Path

from local.logs import Tail, follow


def test_lines_written_after_the_start_are_returned_once_they_are_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_text("before\n")
    tail = Tail(file)
    assert tail.lines() == []
    with file.open("a") as stream:
        stream.write("one\n\ntw")
        stream.flush()
        assert tail.lines() == ["one"]
        stream.write("o\n")
    assert tail.lines() == ["two"]


def test_a_truncated_file_is_read_from_its_start(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_text("a long first line\n")
    tail = Tail(file)
    file.write_text("new\n")
    assert tail.lines() == ["new"]


def test_a_file_may_be_created_later_and_hold_any_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    tail = Tail(file)
    assert tail.lines() == []
    file.write_bytes(b"\xff is no text\n")
    assert tail.lines() == ["\ufffd is no text"]


def test_lines_from_the_call_until_the_end_are_yielded(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_text("before\n")
    ended = threading.Event()
    lines = follow({"a": file}, ended)
    with file.open("a") as stream:
        stream.write("first words\n")
        stream.flush()
        assert next(lines) == ("a", "first words")
        stream.write("last words\n")
    ended.set()
    assert list(lines) == [("a", "last words")]
