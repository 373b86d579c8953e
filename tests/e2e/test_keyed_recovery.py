"""Rows of windows and running totals, which the job writes again after it was killed."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.e2e.support import START, SYMBOLS, Load, Place, Tick, tick, ticks, wait_until, with_job

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

COUNT = 20_000
PER_SECOND = 300
MINUTE = timedelta(minutes=1)


@pytest.fixture
def keyed(place: Place) -> Iterator[Place]:
    """A place whose sql/ has a job with two keyed targets."""
    with with_job(place, "keyed") as own:
        yield own


def later(symbol: str) -> Tick:
    """A tick that moves the time past the windows of all others."""
    end = START + timedelta(seconds=COUNT) + 10 * MINUTE
    return tick(0) | {"symbol": symbol, "timestamp": end.isoformat()}


def test_windows_and_totals_are_right_after_the_job_was_killed(keyed: Place) -> None:
    job = keyed.run_job("keyed")
    assert "910_insert_totals.sql:3: Flink's" in job.said and "for ever" in job.said
    load = Load(keyed, ticks(0, COUNT), PER_SECOND)
    load.start()
    for kills in (1, 2):
        wait_until(keyed.has_checkpoint, "a checkpoint")
        before = totals(keyed)
        wait_until(lambda before=before: totals(keyed) != before, "rows after the checkpoint")
        job.kill()
        wait_until(lambda: not keyed.processes(), "Flink's Java ended with the killed runner")
        assert load.is_alive(), f"killed {kills} times in mid-load"
        job = keyed.run_job("keyed")
        job.wait_line(r"^job keyed: resuming from .+/chk-\d+$")
    load.wait()
    wait_until(lambda: counted(keyed) == {COUNT // len(SYMBOLS)}, "all totals")
    # When all are read, so that none is late.
    keyed.send([later(symbol) for symbol in SYMBOLS])
    expected = recomputed()
    wait_until(lambda: len(minutes(keyed)) >= len(expected), "all windows have passed")
    assert minutes(keyed) == expected
    # The last of each symbol has the volume 0.
    assert counted(keyed) == {COUNT // len(SYMBOLS) + 1}
    assert sum(volume for _, _, volume in totals(keyed)) == sum(range(COUNT))
    keyed.stop_job(job, "keyed")


def counted(place: Place) -> set[int]:
    return {ticks for _, ticks, _ in totals(place)}


def recomputed() -> list[list[object]]:
    groups: dict[tuple[str, datetime], list[int]] = defaultdict(list)
    for one in ticks(0, COUNT):
        time = datetime.fromisoformat(one["timestamp"])
        groups[one["symbol"], time.replace(second=0, microsecond=0)].append(one["volume"])
    return [
        [symbol, str(minute), len(volumes), sum(volumes)]
        for (symbol, minute), volumes in sorted(groups.items())
    ]


def minutes(place: Place) -> list[list[object]]:
    return place.ask(
        "SELECT symbol, toString(minute), ticks, volume FROM keyed.minutes FINAL"
        " ORDER BY symbol, minute"
    )


def totals(place: Place) -> list[list[object]]:
    return place.ask("SELECT symbol, ticks, volume FROM keyed.totals FINAL ORDER BY symbol")
