"""What a run has read and lost, from its log and Flink's figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jobs.kafka.deleted_records import Lost, Reading
from jobs.run.monitor import Glance
from jobs.run.watch import Watch
from lib.kafka import Span
from tests.jobs.kafka.test_deleted_records import deleted, reset, splits


class Backlog:
    """In the place of one that asks a broker: it holds offsets up to 100."""

    def __init__(self) -> None:
        self.gaps: dict[tuple[str, int], Span] = {}

    def lags(self, positions: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
        return {place: 100 - offset for place, offset in positions.items()}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "flink.log"


def watch(log: Path, kept: list[Any], *lines: str) -> Watch:
    log.write_text("".join(f"{line}\n" for line in lines))
    found = Watch(Reading(log, {}, {}), Backlog(), lambda *each: kept.append(each))  # type: ignore[arg-type]
    found.look()
    return found


def glance(state: str = "RUNNING", **read: int) -> Glance:
    return Glance(1.0, state, positions={("a.b", int(n[1:])): last for n, last in read.items()})


def test_lag_counts_from_what_was_read_or_else_from_where_the_source_began(log: Path) -> None:
    """A partition that was drained before is not read again after a start, and is no unknown."""
    found = watch(log, [], splits(p0=60, p1=100, p2=-2), reset(2, 100))
    lags = found.complete(glance(p0=79, p1=-1, p2=-1)).lags
    assert lags == {("a.b", 0): 20, ("a.b", 1): 0, ("a.b", 2): 0}
    # Flink has started the job again, from an earlier offset.
    lags = found.complete(glance(p0=-1, p1=-1, p2=-1)).lags
    assert lags[("a.b", 0)] == 40
    assert found.complete(glance("RESTARTING")).lags == {}
    assert found.positions == {("a.b", 0): 60, ("a.b", 1): 100, ("a.b", 2): 100}


def test_what_is_lost_is_told_once(log: Path) -> None:
    found = watch(log, [], splits(p0=0), deleted(0, 10), reset(0, 20))
    assert found.lost == [Lost("a.b", 0, 10, 19)]

    def goes_on(*lines: str) -> list[Lost]:
        log.write_text(log.read_text() + "".join(f"{line}\n" for line in lines))
        return found.look()

    assert goes_on(splits(p0=10), deleted(0, 10), reset(0, 20)) == []
    assert goes_on(splits(p0=10), deleted(0, 10), reset(0, 25)) == [Lost("a.b", 0, 20, 24)]
    assert goes_on(splits(p0=5), deleted(0, 5), reset(0, 25)) == [Lost("a.b", 0, 5, 24)]
    assert found.lost == [Lost("a.b", 0, 5, 24)]
    assert found.complete(glance(p0=30)).lost == (Lost("a.b", 0, 5, 24),)


def test_where_a_partition_was_first_begun_is_kept_for_the_next_start(log: Path) -> None:
    kept: list[Any] = []
    found = watch(log, kept, splits(p0=-2), reset(0, 7))
    found.look()
    assert kept == [({("a.b", 0): 7}, {})]
