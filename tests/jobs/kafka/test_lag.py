"""The lag of made-up offsets; tests/e2e/test_kafka.py asks a real broker."""

from jobs.kafka import lag
from lib.kafka import Span

HELD = {("t", 0): Span(0, 10), ("t", 1): Span(0, 5), ("t", 2): Span(0, 0), ("t", 3): Span(8, 8)}


def lags(positions: dict[int, int], gaps: dict[int, Span] | None = None) -> list[int | None]:
    """By partition of topic t; positions are the offsets read next."""
    read = {("t", number): at for number, at in positions.items()}
    known = {("t", number): gap for number, gap in (gaps or {}).items()}
    return list(lag.lags(HELD, read, known).values())


def test_lag_is_the_number_of_records_left_to_read() -> None:
    assert lags({0: 7, 1: 5}) == [3, 0, 0, 0]


def test_lag_is_unknown_for_a_partition_with_records_that_may_have_been_read() -> None:
    assert lags({0: 7}) == [3, None, 0, 0]
    assert lags({}) == [None, None, 0, 0]


def test_records_read_since_kafka_answered_make_no_negative_lag() -> None:
    assert lags({0: 12, 1: 5}) == [0, 0, 0, 0]


def test_deleted_records_are_not_left_to_read() -> None:
    assert list(lag.lags({("t", 0): Span(6, 10)}, {("t", 0): 2}, {}).values()) == [4]


def test_offsets_without_a_record_are_no_lag() -> None:
    """The end of a transaction, and aborted or compacted records."""
    assert lags({0: 9, 1: 5}, {0: Span(9, 10)})[0] == 0
    assert lags({0: 7, 1: 5}, {0: Span(6, 9)})[0] == 1
    # Searched from an earlier offset, or from a later one.
    assert lags({0: 9, 1: 5}, {0: Span(6, 9)})[0] == 1
    assert lags({0: 3, 1: 5}, {0: Span(6, 9)})[0] == 7
