"""The stock job beside a real broker and a real ClickHouse: every record once.

What is killed meanwhile is in tests/e2e/test_recovery.py.
"""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.support import (
    ROOT,
    Load,
    Place,
    check_stored,
    copy_project,
    sql_with,
    tick,
    ticks,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

COUNT = 50_000
# Changes with any row, wherever it is.
ROWS = "SELECT count(), sum(cityHash64(*)) FROM stocks.ticks"


def test_ticks_land_once_a_stopped_job_goes_on_and_a_recreated_topic_is_refused(
    place: Place,
) -> None:
    job = place.run_job()
    place.send(ticks(0, COUNT))
    place.wait_count(COUNT)
    check_stored(place, ticks(0, COUNT))

    jobs = place.flink("/jobs/overview").json()["jobs"]
    assert [(found["name"], found["state"]) for found in jobs] == [("stocks", "RUNNING")]
    page = place.flink("/")
    assert page.status_code == 200 and "<title>Apache Flink Web Dashboard</title>" in page.text

    (asks,) = [pid for pid, command in place.processes().items() if "/python_worker.py " in command]
    assert "pandas" not in Path(f"/proc/{asks}/maps").read_text(), "it is small"

    second = place.run("jobs", "run", "stocks")
    assert second.error == (
        f"job stocks runs already (process {job.pid}); stop it with `make stop-job JOB=stocks`."
    )

    savepoint = place.stop_job(job)
    assert place.processes() == {}
    place.send(ticks(COUNT, COUNT + 1_000))
    job = place.run_job()
    job.wait_line(f"^job stocks: resuming from {re.escape(savepoint)}$")
    place.wait_count(COUNT + 1_000)
    check_stored(place, ticks(0, COUNT + 1_000))

    job.interrupt()
    ended = job.end()
    assert ended.code == 0, job.said
    assert re.search(r"^stopped; saved to .+/savepoint-\w+-\w+$", ended.out, re.MULTILINE)
    assert place.processes() == {}
    stopped = place.run("jobs", "stop", "stocks")
    assert (stopped.code, stopped.out) == (0, "job stocks does not run")
    error = place.run("jobs", "stop", "stoks").error
    assert error == "sql/flink/stoks: no such folder, and no such job runs; fix JOB."

    check_recreated_topic(place)


def check_recreated_topic(place: Place) -> None:
    """It is refused by its id, which the job remembers, and else by what is stored."""
    stored = place.ask(ROWS)
    place.delete_topic()
    place.make_topic()
    place.send(ticks(2 * COUNT, 2 * COUNT + 5_000))
    refusal = (
        f"topic {place.topic}: was recreated, and stocks.ticks holds records of the earlier one; "
        "empty it (TRUNCATE TABLE), or write as another: 'table (columns) AS name'."
    )
    assert place.run("jobs", "run", "stocks").error == refusal
    assert place.run("jobs", "run", "stocks", "--fresh").error == refusal
    # Without its memory the job compares the records with the stored rows.
    shutil.rmtree(place.folder / "var" / "flink")
    assert "the topic was recreated" in place.run("jobs", "run", "stocks").error
    assert place.ask(ROWS) == stored

    place.ask("TRUNCATE TABLE stocks.ticks")
    job = place.run_job()
    # The refused run may have left a checkpoint, from before its first record.
    job.wait_line("^job stocks: (starting from the sources|resuming from )")
    place.wait_count(5_000)
    check_stored(place, ticks(2 * COUNT, 2 * COUNT + 5_000))
    place.stop_job(job)


def test_what_does_not_fit_or_is_unreadable_ends_a_job_without_dead_letters(
    place: Place,
) -> None:
    sql = sql_with(place.folder, "unchecked")
    project = copy_project(place.folder / "a project")
    (project / "lib" / "jars").symlink_to(ROOT / "lib" / "jars")
    place = replace(place.having(SQL_DIR=sql), root=project)
    job = place.run_job("unchecked")
    place.send(ticks(0, 1_000))
    place.wait_count(1_000)

    # More come after it, also while Flink is about to end the task that failed.
    load = Load(
        place,
        [*ticks(1_000, 1_500), tick(7) | {"volume": 2**40}, *ticks(1_500, 4_000)],
        per_second=1_000,
    )
    load.start()
    ended = job.end()
    assert re.search(
        rf"stocks\.ticks: partition \d, offset \d+: column volume .*\b{2**40}\b.*; .+\.$",
        ended.error,
    )
    load.wait()
    most, rows, different = place.ask(
        "SELECT max(volume), count(), uniqExact(volume) FROM stocks.ticks"
    )[0]
    assert (most < 4_000, rows == different) == (True, True), "nothing is wrapped or stored twice"

    insert = sql / "flink" / "unchecked" / "900_insert_ticks.sql"
    insert.write_text(f"{insert.read_text()}WHERE volume < 1000000\n")
    job = place.run_job("unchecked")
    job.wait_line("^job unchecked: starting from the sources, ")
    place.wait_count(4_000)
    rows = place.ask("SELECT volume FROM stocks.ticks ORDER BY volume")
    assert rows == [[number] for number in range(4_000)]

    place.transact(["null"], 1)
    assert re.match(
        rf"{place.topic}, partition 1, offset \d+: a record of the source cannot be read: null: "
        "not an object; read the field as STRING and TRY_CAST it",
        job.end().error,
    )
