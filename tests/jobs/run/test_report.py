"""A run reported to ClickHouse, in the tables of sql/clickhouse."""

import gc
import socket
import threading
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from jobs import job
from jobs.kafka.deleted_records import LostRecords
from jobs.run import lifecycle, report
from jobs.run.report import Report
from jobs.run.status import JobStatus
from lib import clickhouse as connections
from lib import conf, ports, sqlfiles
from lib.errors import JobError
from lib.settings import ClickHouse, Settings
from lib.sqlfiles import SqlFile
from tests.conftest import ROOT, Server, wait_until

FILES = [
    SqlFile(800, "sink", "x", "sql/flink/j/800_sink_x.sql", "CREATE TABLE x (a INT)"),
    SqlFile(900, "insert", "x", "sql/flink/j/900_insert_x.sql", "INSERT INTO x SELECT 1"),
]
TABLES = ("004_table_job_runs.sql", "005_table_job_status.sql")
STARTED = "SELECT status, files, message, ended_at IS NULL FROM {}.job_runs FINAL"


@pytest.fixture(autouse=True)
def end_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last rows are waited for, however slow the machine is."""
    monkeypatch.setattr(report, "END_LIMIT", 90.0)


def reporting(given: Settings, resume: Path | None = None) -> AbstractContextManager[Report]:
    return report.reporting(given, job.of(given, "j", FILES), resume)


def config(server: ClickHouse, database: str) -> Settings:
    """Settings with this ClickHouse, and a Kafka that does not exist."""
    client = connections.connect(server)
    for name in TABLES:
        file = sqlfiles.read(ROOT / "sql" / "clickhouse" / name)
        client.command(file.text.replace("stocks.", f"{database}."))
    client.close()
    return conf.load(
        environ={
            "MILLRACE_CLICKHOUSE__PORT": str(server.port),
            "MILLRACE_CLICKHOUSE__DATABASE": database,
            "MILLRACE_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{ports.free(1)[0]}",
        }
    )


def test_a_run_is_reported_while_it_runs_and_with_its_end(
    clickhouse: ClickHouse, client: Client, database: str
) -> None:
    given = config(clickhouse, database)
    with reporting(given, Path("/x/chk-1")) as run:
        wait_until(lambda: client.query(STARTED.format(database)).result_rows)
        files = {Path(file.place).name: file.text for file in FILES}
        assert client.query(STARTED.format(database)).first_row == ("running", files, "", 1)
        run.set_status(JobStatus(12.0, "RUNNING", 30, 20), JobStatus(10.0, "RUNNING", 10, 10))
        seen = f"SELECT state, records_per_second, rows_per_second FROM {database}.job_status FINAL"
        wait_until(lambda: client.query(seen).result_rows == [("RUNNING", 10.0, 5.0)])
    assert client.query(STARTED.format(database)).first_row == ("stopped", files, "", 0)
    assert client.query(seen).result_rows == [("STOPPED", None, None)]
    assert client.command(f"SELECT resumed_from FROM {database}.job_runs FINAL") == "/x/chk-1"


@pytest.mark.parametrize(
    ("error", "message"), [(JobError("a.sql: no."), "a.sql: no."), (ValueError(1), "ValueError(1)")]
)
def test_a_run_that_fails_is_reported_with_the_reason(
    clickhouse: ClickHouse, client: Client, database: str, error: Exception, message: str
) -> None:
    given = config(clickhouse, database)
    with pytest.raises(type(error)), reporting(given):
        raise error
    assert client.query(STARTED.format(database)).first_row[::2] == ("failed", message)
    status = f"SELECT state, message FROM {database}.job_status FINAL"
    assert client.query(status).result_rows == [("FAILED", message)]


def test_an_unavailable_clickhouse_gets_the_report_later(mortal: Server) -> None:
    client = connections.connect(mortal.settings)
    client.command("CREATE DATABASE d")
    client.close()
    given = config(mortal.settings, "d")
    mortal.kill()
    with reporting(given):
        mortal.start()
        client = connections.connect(mortal.settings)
        wait_until(lambda: client.query(STARTED.format("d")).result_rows)
    assert client.query(STARTED.format("d")).first_row[0] == "stopped"
    client.close()


def test_without_the_tables_a_job_runs_unreported(
    clickhouse: ClickHouse, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    given = conf.load(
        environ={
            "MILLRACE_CLICKHOUSE__PORT": str(clickhouse.port),
            "MILLRACE_CLICKHOUSE__DATABASE": database,
            "MILLRACE_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{ports.free(1)[0]}",
        }
    )
    with reporting(given):
        wait_until(lambda: "job j: not reported: ClickHouse at" in caplog.text)
    assert not [t for t in threading.enumerate() if t.name == "report"]


@pytest.mark.parametrize(
    ("state", "ends", "should_run"),
    [
        # Refused before Flink ran it, so it is not expected to run.
        (None, "failed", False),
        ("CREATED", "failed", False),
        ("RUNNING", "failed", True),
        ("RUNNING", "stopped", False),
    ],
)
def test_a_job_should_run_once_it_ran_until_it_is_stopped(
    clickhouse: ClickHouse,
    client: Client,
    database: str,
    state: str | None,
    ends: str,
    should_run: bool,
) -> None:
    given = config(clickhouse, database)
    with suppress(JobError), reporting(given) as run:
        if state:
            run.set_status(JobStatus(1.0, state), None)
        if ends == "failed":
            raise JobError("no")
    assert lifecycle.should_run(client, database, "j") is should_run
    # An edit that is refused does not change that.
    with suppress(JobError), reporting(given):
        raise JobError("a.sql: no")
    assert lifecycle.should_run(client, database, "j") is should_run


def test_lost_records_are_reported_during_the_run_and_after_it(
    clickhouse: ClickHouse, client: Client, database: str
) -> None:
    given = config(clickhouse, database)
    lost = [LostRecords("t", 1, 5, 9)]
    message = "t, partition 1, offsets 5 to 9: deleted from Kafka before the job read them; "
    runs = f"SELECT status, message FROM {database}.job_runs FINAL"
    with pytest.raises(JobError), reporting(given) as run:
        wait_until(lambda: client.query(runs).result_rows == [("running", "")])
        run.set_lost(lost)
        run.set_status(JobStatus(1.0, "RUNNING", lost=lost), None)
        wait_until(lambda: client.query(runs).first_row[1].startswith(message))
        status = f"SELECT state, message, lost FROM {database}.job_status FINAL"
        wait_until(lambda: client.query(status).first_row[2].startswith(message))
        assert client.query(status).first_row[0] == "RUNNING"
        raise JobError("a.sql: no.")
    assert client.query(runs).first_row[1].startswith(f"a.sql: no. {message}")
    assert client.query(status).first_row[1] == "a.sql: no."


def test_the_lag_of_each_partition_is_reported(
    clickhouse: ClickHouse, client: Client, database: str
) -> None:
    given = config(clickhouse, database)
    with reporting(given) as run:
        run.set_status(JobStatus(1.0, "RUNNING", lags={("t", 0): 7, ("t", 1): None}), None)
        seen = f"SELECT partitions FROM {database}.job_status FINAL WHERE state = 'RUNNING'"
        wait_until(lambda: client.query(seen).result_rows)
        assert [tuple(each.values()) for each in client.query(seen).first_row[0]] == [
            ("t", 0, 7),
            ("t", 1, None),
        ]


def test_records_that_are_not_accounted_for_are_reported_with_the_reason(
    clickhouse: ClickHouse, client: Client, database: str
) -> None:
    with reporting(config(clickhouse, database)) as run:
        run.set_status(JobStatus(1.0, "RUNNING", uncollected=7, problem="Kafka is slow."), None)
        seen = (
            f"SELECT uncollected, message FROM {database}.job_status FINAL WHERE state = 'RUNNING'"
        )
        wait_until(lambda: client.query(seen).result_rows)
        assert client.query(seen).first_row == (7, "Kafka is slow.")


@pytest.mark.parametrize("interrupt", [SystemExit(0), KeyboardInterrupt()])
def test_a_run_that_is_stopped_while_it_starts_has_not_failed(
    clickhouse: ClickHouse, client: Client, database: str, interrupt: BaseException
) -> None:
    given = config(clickhouse, database)
    with pytest.raises(type(interrupt)), reporting(given):
        raise interrupt
    assert client.query(STARTED.format(database)).first_row[::2] == ("stopped", "")


def test_a_status_is_written_once_and_a_state_until_the_next(
    clickhouse: ClickHouse, client: Client, database: str
) -> None:
    given = config(clickhouse, database)
    count = (
        f"SELECT count(), max(reported_at) FROM {database}.job_status WHERE state = {{s:String}}"
    )

    def written(state: str) -> tuple[int, Any]:
        return tuple(client.query(count, parameters={"s": state}).first_row)

    with reporting(given) as run:
        wait_until(lambda: written("STARTING")[1].year > 2000)
        first = written("STARTING")[1]
        wait_until(lambda: written("STARTING")[1] > first)
        run.set_status(JobStatus(1.0, "RUNNING"), None)
        wait_until(lambda: written("RUNNING")[0])
        once = written("RUNNING")
        run.set_state("STOPPING")
        wait_until(lambda: written("STOPPING")[0])
        assert written("RUNNING")[1:] == once[1:] or written("RUNNING")[0] == 0


# Kafka's client leaves the sockets of a broker that does not answer to Python.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_kafka_that_hangs_delays_nothing(
    clickhouse: ClickHouse, client: Client, database: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as accepted:
        silent.settimeout(90)
        servers = f"127.0.0.1:{silent.getsockname()[1]}"
        given = config(clickhouse, database)
        kafka = msgspec.structs.replace(given.kafka, bootstrap_servers=servers)
        given = msgspec.structs.replace(given, kafka=kafka)
        with reporting(given):
            # The first connection only looks whether it listens; the second waits for an answer.
            for _ in range(2):
                accepted.enter_context(silent.accept()[0])
            wait_until(lambda: client.query(STARTED.format(database)).result_rows)
        assert client.query(STARTED.format(database)).first_row[0] == "stopped"
    wait_until(lambda: all(each.name != "lag" for each in threading.enumerate()))
    gc.collect()
