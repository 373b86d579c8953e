"""Records that Flink's json format cannot read become dead letters while a job runs."""

import re

import pytest

from tests.e2e.support import Place, ticks, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

UNREADABLE = ["", "{", "null", "[]", "\x00"]
# Their dead letters, once their records were read from Kafka.
UNREAD = "stage = 'parse' AND has_record"


def check_audit(place: Place) -> None:
    audit = place.run("jobs", "audit", "stocks", "--full")
    assert audit.code == 0, audit.out
    assert audit.out.endswith(": every record is accounted for, once"), audit.out


def test_unreadable_records_are_kept_counted_and_limited(place: Place) -> None:
    place.send([*ticks(0, 50), *UNREADABLE])
    job = place.run_job()
    wait_until(lambda: place.dead_letters(UNREAD) == 5, "all unreadable records are dead letters")
    job.wait_line("^RUNNING .*  dead letters 5$")
    check_audit(place)
    # No checkpoint covers these; the savepoint does.
    place.send([*ticks(50, 60), *UNREADABLE])
    place.wait_count(60)
    place.stop_job(job)
    assert place.dead_letters(UNREAD) == 10
    check_audit(place)
    check_stop(place.having(DEAD_LETTERS__KEEP="false"))
    check_limit(place.having(DEAD_LETTERS__MAX_PER_MINUTE=10))


def check_stop(place: Place) -> None:
    """A job that keeps no dead letter stops at the first, and the next run finds that again."""
    place.send([*ticks(60, 70), "{"])
    error = place.run("jobs", "run", "stocks").error
    words = r"Expecting property name enclosed in double quotes: character 1; correct its producer"
    assert re.search(rf"^{place.topic}, partition \d, offset \d+: not JSON: {words}", error), error
    assert error.endswith("or set dead_letters.keep to true.")
    assert place.dead_letters(UNREAD) == 10


def check_limit(place: Place) -> None:
    """The one that stopped the job is kept now; ten more are too many."""
    job = place.run_job()
    wait_until(lambda: place.dead_letters(UNREAD) == 11, "the record that stopped the job is kept")
    place.send(["{"] * 10)
    assert job.end().error.startswith(
        "dead letters: 11 within a minute, and dead_letters.max_per_minute is 10; "
    )
    assert place.dead_letters(UNREAD) == 21
    check_audit(place)
