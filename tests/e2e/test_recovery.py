"""The stock job when its runner, Java, task manager or a server is killed: every record once."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.support import Load, Place, Tick, check_stored, ticks, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

COUNT = 50_000
# So slow that 50,000 last for longer than all kills and restarts, on a slow machine too; the rest
# is then sent at once.
PER_SECOND = 150


# Records that are no tick: the source cannot read the first two, the others break a rule.
BAD: list[Tick | str] = ["{", "[]", {"symbol": "a"}, {"symbol": "AAPL", "price": "x"}]


def mixed(start: int, end: int) -> Iterator[Tick | str]:
    """Ticks, and after each 19 of them a record that is none."""
    for number, tick in enumerate(ticks(start, end), 1):
        yield tick
        if number % 19 == 0:
            yield BAD[number // 19 % len(BAD)]


def test_nothing_is_lost_or_twice_when_job_clickhouse_and_kafka_are_killed(
    stack: Place, place: Place
) -> None:
    job = place.run_job()
    load = Load(place, mixed(0, COUNT), PER_SECOND)
    load.start()
    wait_until(place.has_checkpoint, "a checkpoint")
    check_mid_load(place, load)
    assert len(place.java()) == 1
    job.kill()
    wait_until(lambda: not place.processes(), "Flink's Java ended with the killed runner")
    left = unpacked(place)
    stored = place.count()

    job = place.run_job()
    job.wait_line(r"^job stocks: resuming from .+/chk-\d+$")
    check_mid_load(place, load)
    job.kill()
    wait_until(lambda: not place.processes(), "Flink's Java ended with the killed runner")
    job = place.run_job()
    load.wait()
    place.wait_count(COUNT)
    assert stored < COUNT
    check_stored(place, ticks(0, COUNT), COUNT // 19)
    assert len(left) == len(unpacked(place)) == 1 and left != unpacked(place)

    load = Load(place, mixed(COUNT, 2 * COUNT), PER_SECOND)
    load.start()
    for server in ("clickhouse", "kafka"):
        check_mid_load(place, load)
        stack.kill_program(server)
        wait_until(stack.has_servers, "both servers run")
    check_mid_load(place, load)
    load.wait()
    place.wait_count(2 * COUNT)
    check_stored(place, ticks(0, 2 * COUNT), 2 * (COUNT // 19))
    place.stop_job(job)
    assert place.dead_letters() == 2 * (COUNT // 19), "good and bad records are those sent"
    audit = place.run("jobs", "audit", "stocks", "--json")
    assert audit.code == 0, audit.out


def test_a_task_manager_that_ends_has_another_and_a_java_that_ends_is_reported(
    place: Place,
) -> None:
    lost = place.folder / "lost"
    job = place.start("tests.e2e.lose_task_manager", str(lost), "run", "stocks")
    job.wait_line("^RUNNING")
    place.send(ticks(0, 1_000))
    place.wait_count(1_000)
    wait_until(place.has_checkpoint, "a checkpoint")
    assert "task manager" not in job.said

    lost.touch()
    job.wait_line("^Flink's task manager ended; another is starting$")
    place.send(ticks(1_000, 2_000))
    place.wait_count(2_000)
    check_stored(place, ticks(0, 2_000))
    wait_until(lambda: place.flink("/overview").json()["taskmanagers"] == 1, "one is left")

    (folder,) = unpacked(place)
    # With what Flink puts into the system's temporary folder by itself, its planner not among it.
    assert [*folder.rglob("flink-web-upload")] and not [*folder.rglob("flink-table-planner*.jar")]
    (java,) = place.java()
    os.kill(java, signal.SIGKILL)
    ended = job.end()
    assert (ended.code, len(ended.err.splitlines())) == (75, 1), job.said
    assert re.fullmatch(
        r"Flink's Java ended; see .+; the job goes on from its last checkpoint when it is run "
        r"again\.",
        ended.err,
    )

    wait_until(lambda: not place.processes(), "nothing is left")
    assert unpacked(place) == []

    place.send(ticks(2_000, 3_000))
    job = place.run_job()
    job.wait_line(r"^job stocks: resuming from .+/chk-\d+$")
    place.wait_count(3_000)
    check_stored(place, ticks(0, 3_000))
    place.stop_job(job)
    assert unpacked(place) == []


def unpacked(place: Place) -> list[Path]:
    """The folders into which Flink and PyFlink unpack files, one for each Java."""
    return list((place.folder / "var" / "run" / "flink").iterdir())


def check_mid_load(place: Place, load: Load) -> None:
    """Return when rows come in; there are more to come."""
    stored = wait_until(lambda: [place.count()], "ClickHouse answers")[0]
    wait_until(lambda: place.count() > stored + PER_SECOND, "rows come in")
    assert load.is_alive(), "the load is over"
