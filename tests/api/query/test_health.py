"""The status of the pipeline and of each part."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from clickhouse_connect.driver.client import Client

from jobs.__main__ import main
from jobs.run import lifecycle
from lib.errors import JobError
from tests.api.job_status import part, report
from tests.api.keyed import ME, SOME
from tests.api.support import DAY, Api, insert
from tests.conftest import Server


def test_a_pipeline_without_a_job_is_down(api: Api, tables: Client) -> None:
    answer = api.health()
    assert (answer.status_code, answer.json()["status"]) == (503, "down")
    assert part(api, "jobs")["message"] == "no job runs; `make run-job` starts one"
    assert part(api, "ticks")["status"] == "empty"


def test_no_ticks_yet_is_not_down(api: Api, tables: Client) -> None:
    report(tables)
    answer = api.health()
    assert (answer.status_code, answer.json()["status"]) == (200, "empty")
    insert(tables, [("A", 1.0, 1, 0, 0)])
    answer = api.health()
    assert (answer.status_code, answer.json()["status"]) == (200, "up")
    assert part(api, "ticks")["message"].startswith("no tick for ")
    assert part(api, "job stocks")["lag"] == 3


@pytest.mark.parametrize(
    ("state", "age", "message", "shown"),
    [
        ("RUNNING", 60, "", "its runner has not reported for 1 minute"),
        ("RESTARTING", 0, "ClickHouse is unavailable", "restarting: ClickHouse is unavailable"),
        ("FAILED", 3600, "column n is wrong", "failed: column n is wrong"),
        ("STARTING", 0, "", "starting"),
    ],
)
def test_a_job_that_does_not_run_is_down_with_a_reason(
    api: Api, tables: Client, state: str, age: float, message: str, shown: str
) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    report(tables, state, age, message=message)
    answer = api.health()
    status = "starting" if state == "STARTING" else "down"
    assert (answer.status_code, answer.json()["status"]) == (503, status)
    job_part = part(api, "job stocks")
    assert (job_part["status"], job_part["lag"]) == (status, None)
    assert job_part["message"].startswith(shown)


def test_a_problem_of_a_running_job_is_reported(api: Api, tables: Client) -> None:
    report(tables, message="Kafka at x:1 does not answer; start it.")
    job_part = part(api, "job stocks")
    assert api.health().status_code == 503
    assert job_part["message"] == "running: Kafka at x:1 does not answer; start it."
    assert 'millrace_part_up{part="job stocks"} 0.0' in api.metrics()


def test_a_tick_with_a_future_timestamp_hides_nothing(api: Api, tables: Client) -> None:
    report(tables)
    now = (datetime.now(UTC) - DAY).total_seconds()
    far = 150 * 365 * 86400
    ticks = [("A", 1.0, 1, now - 60, 0), ("B", 2.0, 1, now - 60, 1), ("A", 9.0, 1, far, 2)]
    insert(tables, ticks)
    assert part(api, "ticks")["message"].startswith("the newest tick is in the future")
    assert [row["symbol"] for row in api.rows("/api/stats")] == ["A", "B"]
    prices = [row["price"] for row in api.rows("/api/history", symbols="A,B")]
    assert prices == [1, 2]
    newest, before = api.rows("/api/candles", symbols="A", interval="1d")
    assert newest["start"].startswith("2173-") and before["start"] < newest["start"]


def test_a_job_that_is_not_expected_does_not_make_the_pipeline_down(
    api: Api, tables: Client
) -> None:
    """A job that was stopped on request, or refused at its start, beside one that runs."""
    report(tables)
    report(tables, "STOPPED", age=60, job="orders")
    report(tables, "FAILED", age=60, job="tried", message="a.sql: no.", should_run=False)
    report(tables, "STARTING", age=60, job="killed")
    # Without a report for more than a day.
    report(tables, "STOPPED", age=100_000, job="old")
    insert(tables, [("A", 1.0, 1, 0, 0)])
    assert api.health().json()["status"] == "up"
    messages = {each["part"]: each["message"] for each in api.health().json()["parts"]}
    assert messages.pop("ticks")
    assert messages.pop("job killed").startswith("its runner has not reported for 1 minute")
    assert messages == {
        "job stocks": "",
        "job orders": "stopped",
        "job tried": "failed: a.sql: no.",
    }
    assert part(api, "job tried")["status"] == "stopped"
    shown = {row["job"]: row["state"] for row in api.rows("/api/pipeline")}
    assert shown == {
        "stocks": "RUNNING", "orders": "STOPPED", "tried": "FAILED", "killed": "LOST"
    }  # fmt: skip


def test_an_expected_job_is_down_until_it_is_retired(api: Api, tables: Client) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    report(tables)
    for job, state in (("orders", "FAILED"), ("quotes", "RUNNING")):
        report(tables, state, age=100_000, job=job)
        assert api.health().json()["status"] == "down"
        assert part(api, f"job {job}")["message"].endswith(
            f" (`make run-job JOB={job}` starts it; `make stop-job JOB={job}` if it need not run)"
        )
        assert lifecycle.should_run(tables, "stocks", job)
        assert lifecycle.retire(tables, "stocks", job)
        assert part(api, f"job {job}")["message"] == "stopped"
        assert api.health().json()["status"] == "up"
        assert not lifecycle.should_run(tables, "stocks", job)
        assert not lifecycle.retire(tables, "stocks", job), "once"


def test_stopping_a_job_that_has_ended_retires_it(
    server: Server, tables: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE_CLICKHOUSE__PORT", str(server.settings.port))
    monkeypatch.setenv("MILLRACE_DATA_DIR", str(tmp_path))
    report(tables, "FAILED", age=60, job="tried")
    says = "job tried does not run\n"
    retired = f"{says}job tried is retired: /health no longer expects it\n"
    for output in (retired, says):
        ended = CliRunner().invoke(main, ["stop", "tried"])
        assert (ended.exit_code, ended.output) == (0, output)


def test_a_job_that_runs_on_another_machine_is_not_retired(api: Api, tables: Client) -> None:
    report(tables)
    with pytest.raises(JobError, match=r"^job stocks: does not run on this machine, but its "):
        lifecycle.retire(tables, "stocks", "stocks")
    assert not lifecycle.retire(tables, "stocks", "nowhere")


def test_a_pipeline_whose_only_job_is_not_expected_is_down(api: Api, tables: Client) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    report(tables, "STOPPED", age=60)
    assert api.health().json()["status"] == "down"
    assert part(api, "job stocks")["status"] == "stopped"
    assert part(api, "jobs")["message"] == "no job runs; `make run-job` starts one"


def test_lost_records_are_reported_and_the_job_is_up(api: Api, tables: Client) -> None:
    lost = "t, partition 1, offsets 5 to 9: deleted from Kafka before the job read them; see."
    insert(tables, [("A", 1.0, 1, 0, 0)])
    report(tables, lost=lost)
    assert (part(api, "job stocks")["status"], part(api, "job stocks")["message"]) == ("up", lost)
    assert api.health().status_code == 200
    assert api.rows("/api/pipeline")[0]["lost"] == lost
    report(tables, "RESTARTING", lost=lost, message="away")
    assert part(api, "job stocks")["message"] == f"restarting: away; {lost}"
    report(tables, "STOPPED", lost=lost)
    assert lost not in part(api, "job stocks")["message"]


def test_a_notice_is_told_and_the_job_is_up(api: Api, tables: Client) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    report(tables, notice="event time stands still")
    shown = part(api, "job stocks")
    assert (shown["status"], shown["message"]) == ("up", "event time stands still")
    assert api.rows("/api/pipeline")[0]["notice"] == "event time stands still"
    report(tables, notice="event time stands still", message="away")
    assert part(api, "job stocks")["message"] == "running: away; event time stands still"
    report(tables, "STOPPED", notice="event time stands still")
    assert "event time" not in part(api, "job stocks")["message"]


def test_only_an_unrestricted_key_gets_the_parts_of_health(keyed: Api) -> None:
    answers = [keyed.health(headers).json() for headers in ({}, SOME, ME)]
    assert len({answer["status"] for answer in answers}) == 1
    assert [bool(answer["parts"]) for answer in answers] == [False, False, True]
