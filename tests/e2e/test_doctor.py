"""`make doctor`, on a stack where all is well and on others."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.support import ROOT, Place, free_ports, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

FLINK = "MILLRACE_FLINK__REST_PORT"


@pytest.fixture
def place(place: Place) -> Place:
    """A place where no job of another test should run."""
    place.ask("TRUNCATE TABLE stocks.job_status")
    return place


def findings(place: Place, code: int) -> dict[str, list[str]]:
    """What the doctor finds by check: each fact, with the remedy if there is one."""
    ended = place.run("jobs", "doctor", "--json")
    assert (ended.code, ended.err) == (code, ""), ended.out
    found: dict[str, list[str]] = {}
    for each in json.loads(ended.out):
        assert each["ok"] == (each["remedy"] == "")
        text = each["fact"] if each["ok"] else f"{each['fact']}; {each['remedy']}"
        found.setdefault(each["check"], []).append(text)
    return found


def broken(place: Place) -> list[str]:
    """What is to fix, as a user sees it."""
    ended = place.run("jobs", "doctor")
    assert (ended.code, ended.err) == (1, ""), ended.out
    *lines, last = ended.out.splitlines()
    wrong = [line.split(maxsplit=1)[1] for line in lines if line.startswith("FIX ")]
    assert last == f"{len(lines) - len(wrong)} ok, {len(wrong)} to fix"
    return [" ".join(line.split()) for line in wrong]


def test_all_is_well_until_the_job_is_killed_or_its_files_change(place: Place) -> None:
    found = findings(place, 0)
    assert found["jobs"] == ["stocks does not run"]
    assert found["topics"] == [f"{place.topic}: 4 partitions"]
    assert found["flink.rest_port"] == [f"127.0.0.1:{place.names[FLINK]} is free"]
    number = len([*(ROOT / "sql" / "clickhouse").glob("*.sql")])
    assert found["migrations"] == [f"{number} of {number} files of sql/clickhouse have run"]

    job = place.run_job()
    wait_until(lambda: place.count("stocks.job_runs"), "the run is reported")
    running = "stocks is up, with the SQL of its files"
    wait_until(lambda: findings(place, 0)["jobs"] == [running], "the job is up")
    assert findings(place, 0)["flink.rest_port"] == [f"127.0.0.1:{place.names[FLINK]} answers"]

    sql = place.folder / "sql"
    shutil.copytree(ROOT / "sql", sql)
    view = sql / "flink" / "stocks" / "210_view_valid_ticks.sql"
    view.write_text(f"{view.read_text()}    AND price > 1\n")
    (other,) = broken(place.having(SQL_DIR=sql))
    assert other.startswith("jobs stocks runs other SQL than its files have; `make stop-job")

    job.kill()
    wait_until(lambda: not place.processes(), "Flink's Java ended with the killed runner")
    wait_until(
        lambda: place.ask("SELECT status FROM stocks.jobs WHERE job = 'stocks'") == [["down"]],
        "the runner is not heard any more",
    )
    (down,) = broken(place)
    remedy = "its runner does not report; run `make run-job JOB=stocks`"
    assert down == f"jobs stocks is down: {remedy}"
    assert place.run("jobs", "stop", "stocks").code == 0


def changed(change: Callable[[Path], object]) -> Callable[[Place], Place]:
    """A place with files of SQL that are changed."""

    def of(place: Place) -> Place:
        sql = place.folder / "sql"
        shutil.copytree(ROOT / "sql", sql)
        change(sql)
        return place.having(SQL_DIR=sql)

    return of


def append(name: str, text: str) -> Callable[[Path], object]:
    def to(sql: Path) -> None:
        file = sql / name
        file.write_text(f"{file.read_text() if file.exists() else ''}{text}")

    return to


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (
            lambda place: place.having(KAFKA__BOOTSTRAP_SERVERS=f"127.0.0.1:{free_ports(1)[0]}"),
            ["kafka Kafka at 127.0.0.1:", " does not answer; start it with `make up` or set kafka"],
        ),
        (
            lambda place: place.having(
                KAFKA__BOOTSTRAP_SERVERS=f"127.0.0.1:{place.names['MILLRACE_CLICKHOUSE__PORT']}"
            ),
            ["kafka what listens at ", " does not answer as Kafka does; end it, or set kafka."],
        ),
        (
            lambda place: place.having(KAFKA__TOPIC="none", KAFKA__MAKE_TOPICS="never"),
            ["topics ", "has no topic none; make it there"],
        ),
        (
            lambda place: place.having(CLICKHOUSE__PORT=free_ports(1)[0]),
            ["clickhouse ClickHouse at ", "does not answer; start it with `make up` or set click"],
        ),
        (
            lambda place: place.having(CLICKHOUSE__PORT=place.servers.rpartition(":")[2]),
            ["clickhouse what listens at ", "does not answer as ClickHouse does; end it, or set"],
        ),
        (
            lambda place: place.having(CLICKHOUSE__USER="none"),
            ["clickhouse ", "user none is refused; set clickhouse.user and clickhouse.password"],
        ),
        (
            lambda place: place.having(CLICKHOUSE__READER_USER="none"),
            ["reader ", "user none is refused; set clickhouse.reader_user and clickhouse.reader_"],
        ),
        (
            lambda place: place.having(CLICKHOUSE__READER_USER="default"),
            ["reader default may drop tables; give it SELECT alone"],
        ),
        (
            changed(
                append("clickhouse/999_view_new.sql", "-- New.\nCREATE VIEW new AS SELECT 1\n")
            ),
            ["migrations ", " files of sql/clickhouse have run; run `make migrate`"],
        ),
        (
            changed(append("clickhouse/001_table_ticks.sql", "-- Edited.\n")),
            ["001_table_ticks.sql: already applied with other content", "; restore it, and add"],
        ),
        (
            changed(append("flink/stocks/210_view_valid_ticks.sql", "AND ${NO_SETTING}\n")),
            ["jobs ", "210_view_valid_ticks.sql:", "${NO_SETTING} is not a setting; "],
        ),
        (
            lambda place: place.having(API__PORT=place.servers.rpartition(":")[2]),
            ["api.port another program listens at ", "; end it, or change api.port (MILLRACE_API"],
        ),
    ],
)
def test_what_is_wrong_is_one_line_with_its_remedy(
    place: Place, change: Callable[[Place], Place], shown: list[str]
) -> None:
    (line,) = broken(change(place))
    assert [text for text in shown if text not in line] == [], line


def test_settings_that_cannot_be_read_are_an_error(place: Place) -> None:
    assert "topic" in place.having(KAFKA__TOPIC="").run("jobs", "doctor").error
