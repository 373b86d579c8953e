"""Yield the ticks of the fake market or of a recording, each when it is due."""

from collections.abc import Iterable, Iterator

from producer.clock import Clock
from producer.market import Quote
from producer.pace import Pace
from producer.tick import Tick


def live(quotes: Iterable[Quote], rate: float, clock: Clock) -> Iterator[Tick]:
    """Trades of the fake market, `rate` a second in all, stamped with the time they are sent."""
    pace = Pace(clock.now())
    for number, quote in enumerate(quotes):
        clock.sleep(pace.delay(number / rate, clock.now()))
        if clock.stopped:
            return
        yield Tick(*quote, timestamp=clock.utc())


def replayed(ticks: Iterable[Tick], speed: float | None, clock: Clock) -> Iterator[Tick]:
    """Recorded ticks, unchanged, with their gaps divided by `speed`; None is without gaps.

    A tick older than one before it is sent at once: the order of the file is that of the topic.
    """
    first, due, pace = None, 0.0, Pace(clock.now())
    for tick in ticks:
        first = first or tick.timestamp
        if speed is not None:
            due = max(due, (tick.timestamp - first).total_seconds() / speed)
            clock.sleep(pace.delay(due, clock.now()))
        if clock.stopped:
            return
        yield tick
