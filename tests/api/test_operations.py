"""What the API tells of the pipeline: health, /api/pipeline, /api/job_runs, metrics."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from clickhouse_connect.driver.client import Client

from jobs.__main__ import main
from jobs.run import expected
from lib.errors import JobError
from tests.api.support import COLUMNS, DAY, Api, insert
from tests.conftest import Server

RUN = uuid.UUID(int=7)
STATUS = ["job", "run_id", "reported_at", "state", "message", "records_per_second",
          "rows_per_second", "checkpointed_at", "partitions", "should_run",
          "lost"]  # fmt: skip


def report(
    client: Client, state: str = "RUNNING", age: float = 0, job: str = "stocks", **more: Any
) -> None:
    """Say of a job what its runner would, so many seconds ago; what it says now is good for an
    hour, for a machine may be slow."""
    now = datetime.now(UTC)
    at = now - timedelta(seconds=age) if age else now + timedelta(hours=1)
    ran = state not in ("STARTING", "STOPPED")
    given = {"message": "", "rows": 2.5, "lags": [0, 3], "should_run": ran, "lost": "", **more}
    partitions = [("t", number, lag) for number, lag in enumerate(given["lags"])]
    row = [job, RUN, at, state, given["message"], 3.5, given["rows"], now, partitions]
    row += [given["should_run"], given["lost"]]
    client.insert("stocks.job_status", [row], column_names=STATUS)


def part(api: Api, name: str) -> dict[str, Any]:
    """What /health says of one part."""
    return next(found for found in api.health().json()["parts"] if found["part"] == name)


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
    ("state", "age", "message", "told"),
    [
        ("RUNNING", 60, "", "its runner has said nothing for 1 minute"),
        ("RESTARTING", 0, "ClickHouse is away", "restarting: ClickHouse is away"),
        ("FAILED", 3600, "column n is wrong", "failed: column n is wrong"),
        ("STARTING", 0, "", "starting"),
    ],
)
def test_a_job_that_does_not_run_is_down_and_why(
    api: Api, tables: Client, state: str, age: float, message: str, told: str
) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    report(tables, state, age, message=message)
    answer = api.health()
    status = "starting" if state == "STARTING" else "down"
    assert (answer.status_code, answer.json()["status"]) == (503, status)
    found = part(api, "job stocks")
    assert (found["status"], found["lag"]) == (status, None)
    assert found["message"].startswith(told)


def test_what_is_wrong_while_a_job_runs_is_told(api: Api, tables: Client) -> None:
    report(tables, message="Kafka at x:1 does not answer; start it.")
    found = part(api, "job stocks")
    assert api.health().status_code == 503
    assert found["message"] == "running: Kafka at x:1 does not answer; start it."
    assert 'millrace_part_up{part="job stocks"} 0.0' in api.metrics()


def test_a_tick_of_the_future_hides_nothing(api: Api, tables: Client) -> None:
    report(tables)
    now = (datetime.now(UTC) - DAY).total_seconds()
    far = 150 * 365 * 86400
    ticks = [("A", 1.0, 1, now - 60, 0), ("B", 2.0, 1, now - 60, 1), ("A", 9.0, 1, far, 2)]
    insert(tables, ticks)
    assert part(api, "ticks")["message"].startswith("the newest tick is of the future")
    assert [row["symbol"] for row in api.rows("/api/stats")] == ["A", "B"]
    prices = [row["price"] for row in api.rows("/api/history", symbols="A,B")]
    assert prices == [1, 2]
    newest, before = api.rows("/api/candles", symbols="A", interval="1d")
    assert newest["start"].startswith("2173-") and before["start"] < newest["start"]


def test_a_job_that_need_not_run_is_no_fault(api: Api, tables: Client) -> None:
    """Stopped on request, or refused at its start and never run; both beside one that runs."""
    report(tables)
    report(tables, "STOPPED", age=60, job="orders")
    report(tables, "FAILED", age=60, job="tried", message="a.sql: no.", should_run=False)
    report(tables, "STARTING", age=60, job="killed")
    # Not heard of within a day.
    report(tables, "STOPPED", age=100_000, job="old")
    insert(tables, [("A", 1.0, 1, 0, 0)])
    assert api.health().json()["status"] == "up"
    found = {each["part"]: each["message"] for each in api.health().json()["parts"]}
    assert found.pop("ticks")
    assert found.pop("job killed").startswith("its runner has said nothing for 1 minute")
    assert found == {
        "job stocks": "",
        "job orders": "stopped",
        "job tried": "failed: a.sql: no.",
    }
    assert part(api, "job tried")["status"] == "stopped"
    shown = {row["job"]: row["state"] for row in api.rows("/api/pipeline")}
    assert shown == {
        "stocks": "RUNNING", "orders": "STOPPED", "tried": "FAILED", "killed": "LOST"
    }  # fmt: skip


def test_a_job_that_should_run_is_missed_until_it_is_retired(api: Api, tables: Client) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    report(tables)
    for job, state in (("orders", "FAILED"), ("quotes", "RUNNING")):
        report(tables, state, age=100_000, job=job)
        assert api.health().json()["status"] == "down"
        assert part(api, f"job {job}")["message"].endswith(
            f" (`make run-job JOB={job}` starts it; `make stop-job JOB={job}` if it need not run)"
        )
        assert expected.should_run(tables, "stocks", job)
        assert expected.retire(tables, "stocks", job)
        assert part(api, f"job {job}")["message"] == "stopped"
        assert api.health().json()["status"] == "up"
        assert not expected.should_run(tables, "stocks", job)
        assert not expected.retire(tables, "stocks", job), "once"


def test_stopping_a_job_that_has_ended_retires_it(
    server: Server, tables: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE_CLICKHOUSE__PORT", str(server.settings.port))
    monkeypatch.setenv("MILLRACE_DATA_DIR", str(tmp_path))
    report(tables, "FAILED", age=60, job="tried")
    says = "job tried does not run\n"
    retired = f"{says}job tried is retired: /health no longer expects it\n"
    for said in (retired, says):
        ended = CliRunner().invoke(main, ["stop", "tried"])
        assert (ended.exit_code, ended.output) == (0, said)


def test_a_job_that_runs_elsewhere_is_not_retired(api: Api, tables: Client) -> None:
    report(tables)
    with pytest.raises(JobError, match=r"^job stocks: does not run on this machine, but its "):
        expected.retire(tables, "stocks", "stocks")
    assert not expected.retire(tables, "stocks", "nowhere")


def test_a_pipeline_whose_only_job_need_not_run_is_down(api: Api, tables: Client) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    report(tables, "STOPPED", age=60)
    assert api.health().json()["status"] == "down"
    assert part(api, "job stocks")["status"] == "stopped"
    assert part(api, "jobs")["message"] == "no job runs; `make run-job` starts one"


def test_the_pipeline_hop_by_hop(api: Api, tables: Client) -> None:
    event = datetime.now(UTC) - timedelta(seconds=5)
    steps = [event + timedelta(milliseconds=ms) for ms in (0, 20, 50, 60)]
    row = ["A", 1.0, 1, steps[0], 0, 0, steps[1], "stocks/ticks", steps[2], steps[3]]
    columns = [*COLUMNS, "received_at", "inserted_at"]
    tables.insert("stocks.ticks", [row] * 10, column_names=columns)
    report(tables)
    (found,) = api.rows("/api/pipeline")
    assert (found["job"], found["state"], found["lag"]) == ("stocks", "RUNNING", 3)
    assert (found["records_per_second"], found["rows_per_second"]) == (3.5, 2.5)
    assert found["partitions"][1] == {"topic": "t", "partition": 1, "lag": 3}
    assert 0 <= found["checkpoint_age_seconds"] < 300
    hops = {hop["hop"]: (hop["p50_ms"], hop["p99_ms"]) for hop in found["hops"]}
    assert list(hops) == ["event to Kafka", "Kafka to Flink", "Flink to ClickHouse"]
    for times, ms in zip(hops.values(), (20, 30, 10), strict=True):
        # The times of Kafka and ClickHouse are whole milliseconds.
        assert times == pytest.approx((ms, ms), abs=1.1)


def test_what_is_not_known_is_null_and_not_zero(api: Api, tables: Client) -> None:
    report(tables, lags=[1, 2])
    assert 'millrace_part_lag{part="job stocks"} 3.0' in api.metrics()
    report(tables, lags=[None, None], rows=None)
    (found,) = api.rows("/api/pipeline")
    assert (found["lag"], found["rows_per_second"], found["hops"]) == (None, None, [])
    assert found["unknown_partitions"] == 2
    assert part(api, "job stocks")["lag"] is None
    assert 'millrace_part_lag{part="job stocks"}' not in api.metrics()
    report(tables, lags=[])
    assert api.rows("/api/pipeline")[0]["lag"] is None
    report(tables, age=60)
    # Written later, but seen earlier: not the newest.
    assert api.rows("/api/pipeline")[0]["state"] == "RUNNING"


def test_a_partition_that_is_not_known_hides_no_other_and_is_counted(
    api: Api, tables: Client
) -> None:
    report(tables, lags=[7, None, 5])
    (found,) = api.rows("/api/pipeline")
    assert [each["lag"] for each in found["partitions"]] == [7, None, 5]
    for told in (found, part(api, "job stocks")):
        assert (told["lag"], told["unknown_partitions"]) == (12, 1)
    assert 'millrace_part_lag{part="job stocks"} 12.0' in api.metrics()
    assert 'millrace_part_unknown_partitions{part="job stocks"} 1.0' in api.metrics()


def test_records_that_were_lost_are_named_and_the_job_is_up(api: Api, tables: Client) -> None:
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


@pytest.mark.parametrize("state", ["RUNNING", "STARTING", "RESTARTING", "STOPPING"])
def test_a_job_that_was_lost_says_nothing_of_now(api: Api, tables: Client, state: str) -> None:
    report(tables, state, age=60)
    (found,) = api.rows("/api/pipeline")
    assert (found["state"], found["lag"], found["partitions"]) == ("LOST", None, [])
    assert found["records_per_second"] is None


def test_runs_of_jobs_with_their_sql(api: Api, tables: Client) -> None:
    columns = ["run_id", "job", "started_at", "status", "files"]
    now = datetime.now(UTC)
    runs = [
        [uuid.uuid4(), "stocks", now - timedelta(hours=1), "stopped", {}],
        [uuid.uuid4(), "stocks", now - timedelta(minutes=5), "running", {}],
        [RUN, "stocks", now, "running", {"900_insert_x.sql": "INSERT INTO x SELECT 1"}],
        [uuid.uuid4(), "orders", now - timedelta(hours=2), "stopped", {}],
    ]
    tables.insert("stocks.job_runs", runs, column_names=columns)
    report(tables)
    found = api.rows("/api/job_runs", job="stocks")
    assert [row["status"] for row in found] == ["running", "lost", "stopped"]
    assert found[0]["files"] == {"900_insert_x.sql": "INSERT INTO x SELECT 1"}
    assert len(api.rows("/api/job_runs")) == 4
    page = api.get("/api/job_runs?limit=3").json()
    rest = api.get("/api/job_runs", params={"limit": 3, "cursor": page["next"]}).json()
    assert [row["job"] for row in rest["data"]] == ["orders"]


def test_metrics_tell_freshness_and_lag(api: Api, tables: Client) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    report(tables)
    text = api.metrics()
    assert 'millrace_part_lag{part="job stocks"} 3.0' in text
    assert 'millrace_part_age_seconds{part="ticks"} ' in text
