"""Following log files as they grow, are begun anew, or are not there yet."""

import threading
from pathlib import Path

from local.logs import Tail, follow


def test_only_what_comes_after_the_start_is_shown_in_whole_lines(tmp_path: Path) -> None:
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


def test_a_file_begun_anew_is_read_from_its_start(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_text("a long first line\n")
    tail = Tail(file)
    file.write_text("new\n")
    assert tail.lines() == ["new"]


def test_a_file_may_come_later_and_hold_any_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    tail = Tail(file)
    assert tail.lines() == []
    file.write_bytes(b"\xff is no text\n")
    assert tail.lines() == ["\ufffd is no text"]


def test_what_is_said_from_the_call_until_the_end_is_shown(tmp_path: Path) -> None:
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
