"""How many dead letters a job may have within a minute."""

import pytest

from jobs.run import limits
from jobs.run.limits import DeadLetterLimits
from jobs.run.status import JobStatus
from lib.errors import JobError
from lib.settings import DeadLetters
from tests.conftest import FakeTime


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    clock = FakeTime()
    monkeypatch.setattr(limits, "time", clock)
    return clock


def status(records: int, dead: int) -> JobStatus:
    return JobStatus(0.0, "RUNNING", records=records, dead_letters=dead)


def test_without_limits_a_job_goes_on(clock: FakeTime) -> None:
    DeadLetterLimits(DeadLetters(True, None, None)).check(status(10**9, 10**9))


def test_more_dead_letters_than_allowed_within_a_minute_stop_the_job(clock: FakeTime) -> None:
    limit = DeadLetterLimits(DeadLetters(True, 10, None))
    limit.check(status(100, 6))
    clock.now += 61
    # The first six are over a minute old.
    limit.check(status(200, 16))
    clock.now += 59
    with pytest.raises(JobError) as error:
        limit.check(status(300, 17))
    assert str(error.value) == (
        "dead letters: 11 within a minute, and dead_letters.max_per_minute is 10; see them with "
        "`make dead-letters`, and correct their producer or the rules, or raise the limit; then "
        "start the job again."
    )


def test_a_higher_percentage_than_allowed_stops_the_job(clock: FakeTime) -> None:
    limit = DeadLetterLimits(DeadLetters(True, None, 2.5))
    # Fewer than 100 records are no reason.
    limit.check(status(99, 99))
    clock.now += 61
    limit.check(status(299, 104))
    with pytest.raises(JobError, match=r"6 of 201 records within a minute, .*max_percent is 2\.5;"):
        limit.check(status(300, 105))


def test_counts_that_begin_again_are_no_dead_letters(clock: FakeTime) -> None:
    """As when Flink restarts the job."""
    limit = DeadLetterLimits(DeadLetters(True, 10, None))
    for dead in (9, 0, 1):
        limit.check(status(100, dead))
    with pytest.raises(JobError):
        limit.check(status(100, 2))
