"""An error that a user can fix is one line on stderr with place, fact and remedy, and exit 2."""

import os
import signal
import socket
import uuid
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from lib import conf, topics
from lib.errors import ServiceError
from tests.e2e.support import Place, copy_project, free_ports, sql_with, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@pytest.fixture
def sources(place: Place) -> Path:
    """The folder of the stock job, in a copy of sql/ that may be spoilt."""
    return sql_with(place.folder) / "flink" / "stocks"


def run(place: Place, job: str = "stocks") -> str:
    return place.having(SQL_DIR=place.folder / "sql").run("jobs", "run", job).error


def test_an_unknown_job(place: Place, sources: Path) -> None:
    assert run(place, "stock") == f"{sources.parent}/stock: no such folder; did you mean stocks?"


def test_a_wrong_file_name(place: Place, sources: Path) -> None:
    (sources / "950_inserts_more.sql").write_text("-- One row per tick.\n")
    assert run(place) == (
        f"{sources}/950_inserts_more.sql: not a SQL file's name; call it NNN_<kind>_<name>.sql, "
        "kind one of function, source, table, view, sink, alter, insert."
    )


def test_an_unknown_setting(place: Place, sources: Path) -> None:
    file = next(sources.glob("1??_source_raw_ticks.sql"))
    lines = file.read_text().replace("${KAFKA_TOPIC}", "${KAFKA_TOPICS}").splitlines()
    file.write_text("\n".join(lines))
    number = next(n for n, line in enumerate(lines, 1) if "${KAFKA_TOPICS}" in line)
    assert run(place) == (
        f"{file}:{number}: ${{KAFKA_TOPICS}} is not a setting; did you mean ${{KAFKA_TOPIC}}?"
    )


def test_an_unknown_environment_variable(place: Place) -> None:
    assert place.having(KAFKA__TOPICS="other").run("jobs", "run", "stocks").error == (
        "environment: MILLRACE_KAFKA__TOPICS is not a setting; did you mean MILLRACE_KAFKA__TOPIC?"
    )


def test_a_missing_topic_where_none_is_made(place: Place) -> None:
    other = place.having(KAFKA__TOPIC="nowhere", KAFKA__MAKE_TOPICS="never")
    assert other.run("jobs", "run", "stocks").error == (
        f"sql/flink/stocks/100_source_raw_ticks.sql: Kafka at {place.servers} has no topic "
        "nowhere; make it there, set kafka.make_topics to always, or fix the name."
    )


def test_topics_are_made_once_and_a_wrong_name_is_told(place: Place) -> None:
    kafka = msgspec.structs.replace(conf.load(environ={}).kafka, bootstrap_servers=place.servers)
    new, said = f"new-{uuid.uuid4().hex[:8]}", list[str]()
    wanted = [("a.sql", new), ("b.sql", place.topic), ("c.sql", new)]
    for _ in range(2):
        topics.provide(kafka, wanted, said.append)
        assert said == [f"topic {new}: made with 4 partitions"]
    with pytest.raises(ServiceError) as error:
        topics.provide(kafka, [("a.sql", "no name")], said.append)
    assert str(error.value) == (
        "a.sql: 'no name' cannot be a topic's name; write up to 249 of A-Z a-z 0-9 . _ -."
    )


def test_a_port_in_use(place: Place) -> None:
    port = int(place.names["MILLRACE_FLINK__REST_PORT"])
    with socket.create_server(("127.0.0.1", port)):
        error = place.run("jobs", "run", "stocks").error
    assert error == (
        f"port {port} on 127.0.0.1 is in use; end what uses it, or change flink.rest_port "
        "(MILLRACE_FLINK__REST_PORT)."
    )


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        # Found before the services are waited for, by Flink's planner, and when the job starts.
        (
            "python.fn-execution.bundle.size: abc",
            "python.fn-execution.bundle.size: 'abc' is not a whole number of rows from 1 to "
            "2147483647; correct it.",
        ),
        (
            "execution.checkpointing.interval: often",
            "Could not parse value 'often' for key 'execution.checkpointing.interval'; correct it.",
        ),
        (
            "metrics.fetcher.update-interval: often",
            "Could not parse value 'often' for key 'metrics.fetcher.update-interval'; correct it.",
        ),
    ],
)
def test_a_wrong_option_is_named_with_its_file(
    place: Place, sources: Path, option: str, reason: str
) -> None:
    (sources / "flink.yaml").write_text(f"{option}\n")
    assert run(place) == f"{sources}/flink.yaml: {reason}"


def test_a_job_that_cannot_start_asks_for_fresh_only_if_its_saved_state_is_why(
    place: Place, sources: Path
) -> None:
    job = place.run_job()
    place.stop_job(job)
    # Options of the planner belong to the saved state.
    options = sources / "flink.yaml"
    before = options.read_text()
    options.write_text(f"{before}\npipeline.max-parallelism: 7\n")
    error = run(place)
    assert error.startswith("the job does not start: Failed to rollback to checkpoint/savepoint ")
    assert error.endswith("; begin without the saved state: `make run-job ARGS=--fresh`.")
    options.write_text(f"{before}\nstate.backend.type: fastest\n")
    assert run(place) == (
        "the job does not start: Cannot find configured state backend factory class: fastest; "
        f"correct it in conf/flink.yaml or {options} or the job's SQL, or see "
        f"{place.folder}/var/log."
    )


def test_a_missing_jar(place: Place, tmp_path: Path) -> None:
    copy = copy_project(tmp_path / "project")
    error = replace(place, root=copy).run("jobs", "run", "stocks").error
    assert error.startswith(f"{copy}/lib/jars/flink/flink-sql-connector-kafka-")
    assert error.endswith(".jar: not found; run `make setup`.")


@pytest.mark.parametrize("server", ["ClickHouse", "Kafka"])
def test_a_server_that_is_down_is_waited_for_and_the_wait_can_be_ended(
    place: Place, server: str
) -> None:
    port = free_ports(1)[0]
    names = {"ClickHouse": "CLICKHOUSE__PORT", "Kafka": "KAFKA__BOOTSTRAP_SERVERS"}
    value = port if server == "ClickHouse" else f"127.0.0.1:{port}"
    job = place.having(**{names[server]: value}).start("jobs", "run", "stocks")
    job.wait_line(f"^waiting for {server} at 127.0.0.1:{port}; `make up` starts it$")
    job.process.send_signal(signal.SIGTERM)
    ended = job.end()
    assert (ended.code, ended.err) == (0, "")


def test_a_java_that_ends_before_the_job_runs_asks_for_another_start(place: Place) -> None:
    job = place.start("jobs", "run", "stocks")
    (java,) = wait_until(place.java, "Flink's Java")
    os.kill(java, signal.SIGKILL)
    ended = job.end()
    assert ended.code == 75, job.said
    assert ended.err.startswith("Flink's Java ended; ") and len(ended.err.splitlines()) == 1


def test_a_stop_before_the_job_runs_ends_it_and_its_java(place: Place) -> None:
    job = place.start("jobs", "run", "stocks")
    wait_until(place.java, "Flink's Java")
    job.process.send_signal(signal.SIGTERM)
    ended = job.end()
    assert (ended.code, ended.err) == (0, "")
    wait_until(lambda: not place.processes(), "its Java ended")
