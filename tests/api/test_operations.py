"""The endpoints about the pipeline itself: /api/pipeline and /api/job_runs."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from tests.api.job_status import RUN, part, report
from tests.api.support import COLUMNS, Api


def test_the_pipeline_is_shown_hop_by_hop(api: Api, tables: Client) -> None:
    event = datetime.now(UTC) - timedelta(seconds=5)
    steps = [event + timedelta(milliseconds=ms) for ms in (0, 20, 50, 60)]
    row = ["A", 1.0, 1, steps[0], 0, 0, steps[1], "stocks/ticks", steps[2], steps[3]]
    columns = [*COLUMNS, "received_at", "inserted_at"]
    tables.insert("stocks.ticks", [row] * 10, column_names=columns)
    report(tables)
    (job,) = api.rows("/api/pipeline")
    assert (job["job"], job["state"], job["lag"]) == ("stocks", "RUNNING", 3)
    assert (job["records_per_second"], job["rows_per_second"]) == (3.5, 2.5)
    assert job["partitions"][1] == {"topic": "t", "partition": 1, "lag": 3}
    assert 0 <= job["checkpoint_age_seconds"] < 300
    hops = {hop["hop"]: (hop["p50_ms"], hop["p99_ms"]) for hop in job["hops"]}
    assert list(hops) == ["event to Kafka", "Kafka to Flink", "Flink to ClickHouse"]
    for times, ms in zip(hops.values(), (20, 30, 10), strict=True):
        # The times of Kafka and ClickHouse are whole milliseconds.
        assert times == pytest.approx((ms, ms), abs=1.1)


def test_late_ticks_are_counted_by_job(api: Api, tables: Client) -> None:
    now = datetime.now(UTC)
    old = now - timedelta(minutes=5)
    rows = [
        ["A", 1.0, 1, now, 0, number, now, "stocks/ticks", number < 3, old if number else now]
        for number in range(10)
    ]
    columns = [*COLUMNS, "is_late", "inserted_at"]
    tables.insert("stocks.ticks", rows, column_names=columns)
    report(tables)
    report(tables, job="orders")
    counts = {
        row["job"]: (row["late_ticks"], row["late_ticks_last_minute"])
        for row in api.rows("/api/pipeline")
    }
    assert counts == {"stocks": (3, 1), "orders": (0, 0)}


def test_an_unknown_value_is_null_and_not_zero(api: Api, tables: Client) -> None:
    report(tables, lags=[1, 2])
    assert 'millrace_part_lag{part="job stocks"} 3.0' in api.metrics()
    report(tables, lags=[None, None], rows=None)
    (job,) = api.rows("/api/pipeline")
    assert (job["lag"], job["rows_per_second"], job["hops"]) == (None, None, [])
    assert job["unknown_partitions"] == 2
    assert part(api, "job stocks")["lag"] is None
    assert 'millrace_part_lag{part="job stocks"}' not in api.metrics()
    report(tables, lags=[])
    assert api.rows("/api/pipeline")[0]["lag"] is None
    report(tables, age=60)
    # Stored later, but reported earlier: not the newest.
    assert api.rows("/api/pipeline")[0]["state"] == "RUNNING"


def test_an_unknown_partition_is_counted_and_hides_no_other(api: Api, tables: Client) -> None:
    report(tables, lags=[7, None, 5])
    (job,) = api.rows("/api/pipeline")
    assert [each["lag"] for each in job["partitions"]] == [7, None, 5]
    for shown in (job, part(api, "job stocks")):
        assert (shown["lag"], shown["unknown_partitions"]) == (12, 1)
    assert 'millrace_part_lag{part="job stocks"} 12.0' in api.metrics()
    assert 'millrace_part_unknown_partitions{part="job stocks"} 1.0' in api.metrics()


@pytest.mark.parametrize("state", ["RUNNING", "STARTING", "RESTARTING", "STOPPING"])
def test_a_lost_job_has_no_current_values(api: Api, tables: Client, state: str) -> None:
    report(tables, state, age=60)
    (job,) = api.rows("/api/pipeline")
    assert (job["state"], job["lag"], job["partitions"]) == ("LOST", None, [])
    assert job["records_per_second"] is None


def test_job_runs_are_listed_with_their_sql(api: Api, tables: Client) -> None:
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
    runs_of_stocks = api.rows("/api/job_runs", job="stocks")
    assert [row["status"] for row in runs_of_stocks] == ["running", "lost", "stopped"]
    assert runs_of_stocks[0]["files"] == {"900_insert_x.sql": "INSERT INTO x SELECT 1"}
    assert len(api.rows("/api/job_runs")) == 4
    page = api.get("/api/job_runs?limit=3").json()
    rest = api.get("/api/job_runs", params={"limit": 3, "cursor": page["next"]}).json()
    assert [row["job"] for row in rest["data"]] == ["orders"]
