"""Arithmetic with offsets."""

import numpy as np
import pytest

from jobs.accounting import offsets
from jobs.accounting.offsets import Offsets
from lib.kafka import Span


def of(*values: int) -> Offsets:
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize(
    ("present", "missing"),
    [
        ((), [5, 6, 7, 8]),
        ((5, 6, 7, 8), []),
        ((6, 8), [5, 7]),
        # An offset may be there twice.
        ((5, 5, 7), [6, 8]),
    ],
)
def test_missing_offsets_are_those_of_the_span_that_are_not_present(
    present: tuple[int, ...], missing: list[int]
) -> None:
    assert offsets.missing(of(*present), Span(5, 9)).tolist() == missing


def test_offsets_are_exact_where_a_float_is_not() -> None:
    start = 2**53
    assert offsets.missing(of(start), Span(start, start + 3)).tolist() == [start + 1, start + 2]
    assert offsets.spans(of(start + 1, start + 2)) == [Span(start + 1, start + 3)]


def test_repeated_offsets_are_named_once() -> None:
    assert offsets.repeated(of(1, 2, 2, 3, 3, 3, 4)).tolist() == [2, 3]
    assert offsets.repeated(of(7)).tolist() == offsets.repeated(offsets.NONE).tolist() == []


@pytest.mark.parametrize(
    ("values", "spans"),
    [((), []), ((3,), [(3, 4)]), ((1, 2, 3, 7, 9, 10), [(1, 4), (7, 8), (9, 11)])],
)
def test_spans_are_runs_of_offsets(values: tuple[int, ...], spans: list[tuple[int, int]]) -> None:
    assert offsets.spans(of(*values)) == spans
    assert offsets.count(offsets.spans(of(*values))) == len(values)


def test_near_spans_are_joined() -> None:
    parts = [Span(0, 2), Span(3, 4), Span(9, 10), Span(10, 12)]
    assert offsets.joined(parts) == [(0, 2), (3, 4), (9, 12)]
    assert offsets.joined(parts, 1) == [(0, 4), (9, 12)]
    assert offsets.joined(parts, 5) == [(0, 12)]
    assert offsets.joined([Span(0, 9), Span(2, 4)]) == [(0, 9)]


def test_a_span_is_split_into_parts_of_at_most_a_size() -> None:
    assert [*offsets.split(Span(3, 10), 3)] == [(3, 6), (6, 9), (9, 10)]
    assert [*offsets.split(Span(3, 3), 3)] == []


def test_offsets_in_words_are_bounded() -> None:
    parts = [Span(3, 4), Span(5, 10), Span(20, 22), Span(30, 1_031)]
    assert offsets.text(parts, 10) == "3, 5 to 9, 20 to 21, 30 to 1030"
    assert offsets.text(parts, 2) == "3, 5 to 9 and 1,003 more"
