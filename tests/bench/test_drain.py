"""Contenders take turns, and each is watched until it has drained the topic or the limit comes."""

from itertools import chain, repeat

from bench import drain
from bench.contenders import CONTENDERS
from bench.measure import Meter


def test_each_round_begins_with_another_contender() -> None:
    first, second, third = CONTENDERS[:3]
    order = drain.rotated([first, second, third], 2)
    assert order == [first, second, third, second, third, first]
    assert drain.rotated([], 2) == []


def test_progress_is_watched_until_the_last_record() -> None:
    counts = iter([0, 5, 20])
    samples = drain.watch(lambda: next(counts), 10, 30.0, Meter({}), lambda: None)
    assert [count for _, count in samples] == [5, 10]


def test_progress_is_watched_no_longer_than_the_limit() -> None:
    samples = drain.watch(lambda: 1, 10, 0.1, Meter({}), lambda: None)
    assert {count for _, count in samples} == {1} and len(samples) > 1


def test_the_limit_counts_from_the_end_of_the_warm_up() -> None:
    counts = chain([1] * 3, repeat(5))
    samples = drain.watch(lambda: next(counts), 10, 0.5, Meter({}), lambda: None, pause=0.1)
    (begun, _), (ended, _) = samples[0], samples[-1]
    assert ended - begun >= 0.7
