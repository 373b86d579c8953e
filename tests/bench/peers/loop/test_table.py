"""The loop stores exactly the values of a message, in the types of the columns."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from bench.peers.loop.table import arrow, decode

GOOD = b'{"symbol": "AAPL", "price": 150.5, "volume": 7, "timestamp": "2024-01-30T10:00:01.123456"}'
BAD = [b"null", b"{", b'{"symbol": "AAPL"}', GOOD.replace(b"7", b"1.5"), GOOD + b"," + GOOD]


def test_a_message_becomes_a_row() -> None:
    ticks, places = decode([GOOD], ([3], [42], [1_706_608_801_123]))
    (row,) = arrow(ticks, places, "loop").to_pylist()
    assert row == {
        "symbol": "AAPL",
        "price": 150.5,
        "volume": 7,
        "timestamp": datetime(2024, 1, 30, 10, 0, 1, 123456, tzinfo=UTC),
        "kafka_partition": 3,
        "kafka_offset": 42,
        "kafka_timestamp": datetime(2024, 1, 30, 10, 0, 1, 123000, tzinfo=UTC),
        "inserted_by": "loop",
    }


@pytest.mark.parametrize("bad", BAD)
def test_a_record_that_is_no_tick_is_dropped_alone(
    bad: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    ticks, places = decode([GOOD, bad, GOOD], ([0, 0, 0], [5, 6, 7], [0, 0, 0]))
    assert len(ticks) == 2 and [*map(list, places)] == [[0, 0], [5, 7], [0, 0]]
    assert "dropped a record" in capsys.readouterr().err


def test_a_value_that_does_not_fit_its_column_is_refused() -> None:
    ticks, places = decode([GOOD.replace(b"7", b"4294967296")], ([0], [0], [0]))
    with pytest.raises((pa.ArrowInvalid, OverflowError)):
        arrow(ticks, places, "loop")
