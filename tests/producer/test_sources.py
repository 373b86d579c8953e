"""Ticks come when they are due: no drift, no bursts, and a stop ends every wait."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

import pytest

from producer.clock import Clock
from producer.market import quotes
from producer.sources import live, replayed
from producer.tick import Tick

START = datetime(2024, 1, 30, 10)


class FakeClock(Clock):
    """Time passes by sleeping, and by `work` seconds at each look at the clock."""

    def __init__(self, work: float = 0.0) -> None:
        super().__init__()
        self.time, self.work = 1000.0, work

    def now(self) -> float:
        self.time += self.work
        return self.time

    def utc(self) -> datetime:
        return START + timedelta(seconds=self.time - 1000)

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def at(*seconds: float) -> list[Tick]:
    return [Tick("A", 1.0, 1, START + timedelta(seconds=second)) for second in seconds]


def times(ticks: Iterator[Tick], clock: FakeClock, count: int) -> list[float]:
    return [round(clock.time - 1000, 3) for _ in islice(ticks, count)]


def test_symbols_are_spread_over_the_second() -> None:
    clock = FakeClock()
    ticks = live(quotes({"A": 1.0, "B": 1.0, "C": 1.0, "D": 1.0}, 1), 4.0, clock)
    assert times(ticks, clock, 6) == [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]


def test_work_between_ticks_does_not_add_up() -> None:
    clock = FakeClock(work=0.01)
    assert times(live(quotes({"A": 1.0}, 1), 10.0, clock), clock, 601)[-1] == pytest.approx(
        60, abs=0.02
    )


def test_a_live_tick_has_the_time_it_is_sent() -> None:
    clock = FakeClock()
    stamps = [tick.timestamp for tick in islice(live(quotes({"A": 1.0}, 1), 2.0, clock), 3)]
    assert stamps == [START, START + timedelta(seconds=0.5), START + timedelta(seconds=1)]


@pytest.mark.parametrize(
    ("speed", "expected"), [(1.0, [0, 1, 3]), (10.0, [0, 0.1, 0.3]), (None, [0, 0, 0])]
)
def test_a_replay_keeps_its_gaps(speed: float | None, expected: list[float]) -> None:
    clock = FakeClock()
    assert times(replayed(at(0, 1, 3), speed, clock), clock, 3) == expected


def test_a_replayed_tick_out_of_order_is_sent_at_once_and_delays_none() -> None:
    clock = FakeClock()
    assert times(replayed(at(0, 10, 2, 11), 1.0, clock), clock, 4) == [0, 10, 10, 11]


def test_a_replay_keeps_the_timestamps() -> None:
    assert list(replayed(at(0, 1, 3), 10.0, FakeClock())) == at(0, 1, 3)


def test_a_stop_ends_both_sources() -> None:
    clock = FakeClock()
    clock.stop()
    assert list(live(quotes({"A": 1.0}, 1), 1.0, clock)) == []
    assert list(replayed(at(0, 1), 1.0, clock)) == []
