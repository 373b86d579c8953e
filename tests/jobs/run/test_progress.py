"""What a run has read and lost, from its log and Flink's metrics."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jobs.kafka.deleted_records import ClientLog, LostRecords
from jobs.run.progress import ReadProgress
from jobs.run.status import JobStatus
from lib.kafka import Span
from tests.jobs.kafka.test_deleted_records import deleted, reset, splits


class Lag:
    """In the place of a monitor that asks a broker, which has offsets up to 100."""

    def __init__(self) -> None:
        self.gaps: dict[tuple[str, int], Span] = {}

    def lags(self, positions: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
        return {place: 100 - offset for place, offset in positions.items()}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "flink.log"


def begin(log: Path, saved: list[Any], *lines: str) -> ReadProgress:
    log.write_text("".join(f"{line}\n" for line in lines))
    progress = ReadProgress(ClientLog(log, {}, {}), Lag(), lambda *each: saved.append(each))  # type: ignore[arg-type]
    progress.read_log()
    return progress


def status(state: str = "RUNNING", **read: int) -> JobStatus:
    return JobStatus(1.0, state, positions={("a.b", int(n[1:])): last for n, last in read.items()})


def test_lag_counts_from_what_was_read_or_else_from_the_start_of_the_source(log: Path) -> None:
    """A partition that was drained before is not read again after a start, and has a known lag."""
    progress = begin(log, [], splits(p0=60, p1=100, p2=-2), reset(2, 100))
    lags = progress.complete(status(p0=79, p1=-1, p2=-1)).lags
    assert lags == {("a.b", 0): 20, ("a.b", 1): 0, ("a.b", 2): 0}
    # Flink has restarted the job from an earlier offset.
    lags = progress.complete(status(p0=-1, p1=-1, p2=-1)).lags
    assert lags[("a.b", 0)] == 40
    assert progress.complete(status("RESTARTING")).lags == {}
    assert progress.positions == {("a.b", 0): 60, ("a.b", 1): 100, ("a.b", 2): 100}


def test_lost_records_are_reported_once(log: Path) -> None:
    progress = begin(log, [], splits(p0=0), deleted(0, 10), reset(0, 20))
    assert progress.lost == [LostRecords("a.b", 0, 10, 19)]

    def goes_on(*lines: str) -> list[LostRecords]:
        log.write_text(log.read_text() + "".join(f"{line}\n" for line in lines))
        return progress.read_log()

    assert goes_on(splits(p0=10), deleted(0, 10), reset(0, 20)) == []
    assert goes_on(splits(p0=10), deleted(0, 10), reset(0, 25)) == [LostRecords("a.b", 0, 20, 24)]
    assert goes_on(splits(p0=5), deleted(0, 5), reset(0, 25)) == [LostRecords("a.b", 0, 5, 24)]
    assert progress.lost == [LostRecords("a.b", 0, 5, 24)]
    assert progress.complete(status(p0=30)).lost == (LostRecords("a.b", 0, 5, 24),)


def test_the_first_offset_of_a_partition_is_saved_for_the_next_run(log: Path) -> None:
    saved: list[Any] = []
    progress = begin(log, saved, splits(p0=-2), reset(0, 7))
    progress.read_log()
    assert saved == [({("a.b", 0): 7}, {})]
