"""Where a job was to read on; that Flink's saved state says so, tests/e2e/test_kafka.py shows."""

import struct
from pathlib import Path

import pytest

from jobs.kafka import saved_offsets
from lib.kafka import Span


def saved(topic: str, partition: int, offset: int) -> bytes:
    """A split as Flink's reader saves it, and the beginning of the next one."""
    name = topic.encode()
    split = struct.pack(">H", len(name)) + name + struct.pack(">iqq", partition, offset, -(2**63))
    return struct.pack(">iii", len(split) + 8, 0, len(split)) + split + b"\0\0\0\x2e"


def test_a_split_says_where_to_read_on() -> None:
    assert saved_offsets.split(saved("müll-1", 3, 2**40)) == (("müll-1", 3), 2**40)
    assert saved_offsets.split(saved("t", 0, -2)) == (("t", 0), -2)


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\0\x08" + b"\0" * 40, b"\xff" * 60, saved("t", 0, 1)[:30]]
)
def test_what_another_source_saves_is_no_split(data: bytes) -> None:
    assert saved_offsets.split(data) is None


def test_what_is_noted_holds_until_the_topic_is_another(tmp_path: Path) -> None:
    first, again = {"t": "id-1", "u": "id-2"}, {"t": "id-3", "u": "id-2"}
    assert saved_offsets.owed(tmp_path, first, []) == {}
    noted, gaps = {("t", 0): 5, ("u", 10): 7}, {("t", 0): Span(5, 6), ("u", 2): Span(1, 9)}
    saved_offsets.note(tmp_path, first, {**noted, ("unknown", 0): 1}, gaps)
    assert saved_offsets.owed(tmp_path, first, []) == noted
    assert saved_offsets.gaps(tmp_path, first) == gaps
    assert saved_offsets.owed(tmp_path, again, []) == {("u", 10): 7}
    assert saved_offsets.gaps(tmp_path, again) == {("u", 2): Span(1, 9)}


def test_what_cannot_be_noted_ends_no_job(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    saved_offsets.note(tmp_path / "gone", {"t": "id-1"}, {("t", 0): 5}, {})
    assert f"{tmp_path}/gone/offsets.json: not written: " in caplog.text
