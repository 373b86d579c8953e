"""Which offsets a job has read; tests/e2e/test_kafka.py reads Flink's own saved state."""

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


def test_a_split_has_the_next_offset() -> None:
    assert saved_offsets.split(saved("müll-1", 3, 2**40)) == (("müll-1", 3), 2**40)
    assert saved_offsets.split(saved("t", 0, -2)) == (("t", 0), -2)


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\0\x08" + b"\0" * 40, b"\xff" * 60, saved("t", 0, 1)[:30]]
)
def test_the_state_of_another_source_is_no_split(data: bytes) -> None:
    assert saved_offsets.split(data) is None


def test_saved_offsets_hold_until_the_topic_is_another(tmp_path: Path) -> None:
    first, again = {"t": "id-1", "u": "id-2"}, {"t": "id-3", "u": "id-2"}
    assert saved_offsets.unread(tmp_path, first, []) == {}
    unread, gaps = {("t", 0): 5, ("u", 10): 7}, {("t", 0): Span(5, 6), ("u", 2): Span(1, 9)}
    saved_offsets.save(tmp_path, first, {**unread, ("unknown", 0): 1}, gaps)
    assert saved_offsets.unread(tmp_path, first, []) == unread
    assert saved_offsets.gaps(tmp_path, first) == gaps
    assert saved_offsets.unread(tmp_path, again, []) == {("u", 10): 7}
    assert saved_offsets.gaps(tmp_path, again) == {("u", 2): Span(1, 9)}


def test_a_failure_to_save_ends_no_job(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    saved_offsets.save(tmp_path / "gone", {"t": "id-1"}, {("t", 0): 5}, {})
    assert f"{tmp_path}/gone/offsets.json: not written: " in caplog.text
