"""`local demo`: the whole pipeline in one terminal, from an empty folder."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.flink import state
from tests.e2e.support import PARTITIONS, ROOT, Place, Program, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Place]:
    """A place of its own, where nothing runs yet."""
    place = Place.new(tmp_path)
    yield place
    place.clear()


def finish(place: Place, demo: Program) -> None:
    """Ctrl-C ends everything in order: the programs that write first, the job with a savepoint."""
    demo.interrupt()
    ended = demo.end()
    assert (ended.code, ended.err) == (0, ""), demo.said
    demo.wait_line(r"^  producer \| sent [\d,]+ ticks, [\d,]+ acknowledged, 0 not acknowledged$")
    demo.wait_line(r"^       job \| stopped; saved to .+/savepoint-")
    assert ended.out.splitlines()[-1] == "stopped; the data stays"
    assert place.processes() == {}


def busy(place: Place) -> dict[str, Any] | None:
    """The API's report on the job once it stores rows and leaves none unread."""
    (job,) = place.api("/api/pipeline").json()["data"]
    return job if job["rows_per_second"] and job["lag"] == 0 else None


def runs(place: Place) -> list[dict[str, Any]]:
    """The runs of the job, once the second of them runs."""
    found: list[dict[str, Any]] = place.api("/api/job_runs").json()["data"]
    return found if len(found) == 2 and found[0]["status"] == "running" else []


def test_the_demo_shows_ticks_goes_on_where_it_stopped_and_ends_with_the_stack(own: Place) -> None:
    # The first start runs Java as a user does; the others compile less, see tests/conftest.py.
    demo = own.within({"JAVA_TOOL_OPTIONS": ""}).start("local", "demo")
    demo.wait_line(r"^    latest \| AAPL \d+\.\d\d  AMZN \d+\.\d\d  .+TSLA \d+\.\d\d$")
    demo.wait_line(rf"^ dashboard \| http://127.0.0.1:{own.names['MILLRACE_API__PORT']}/$")
    asked = own.ask("SELECT symbol, price FROM stocks.ticks LIMIT 3")
    assert len(asked) == 3
    jobs = own.flink("/jobs/overview").json()["jobs"]
    assert [job["state"] for job in jobs] == ["RUNNING"]
    wait_until(lambda: own.api("/health").json()["status"] == "up", "the pipeline is up")
    job = wait_until(lambda: busy(own), "rows are stored and all is read")
    assert (job["job"], job["state"], len(job["partitions"])) == ("stocks", "RUNNING", PARTITIONS)
    for hop in job["hops"]:
        # Kafka's and ClickHouse's times are whole milliseconds.
        assert -1 < hop["p50_ms"] <= hop["p99_ms"]
    finish(own, demo)

    check_second_start(own, sent=len(asked))


def is_checkpoint(saved: Path) -> bool:
    return saved.name.startswith("chk-")


def check_second_start(own: Place, sent: int) -> None:
    """The job continues, is started again if its Java is killed, but not if a user stops it."""
    assert own.run("local", "up").code == 0
    demo = own.start("local", "demo")
    demo.wait_line(r"^       job \| job stocks: resuming from .+/savepoint-")
    demo.wait_line(r"^       job \| RUNNING")
    now, before = wait_until(lambda: runs(own), "the second run is told")
    assert (now["status"], before["status"]) == ("running", "stopped")
    assert "/savepoint-" in now["resumed_from"] and not before["resumed_from"]
    written = {file.name for file in (ROOT / "sql" / "flink" / "stocks").glob("*.sql")}
    assert now["files"].keys() == written and now["files"] == before["files"]
    assert own.records() > sent
    own.wait_count(own.records())
    rows, places = own.ask(
        "SELECT count(), uniqExact(kafka_partition, kafka_offset) FROM stocks.ticks"
    )[0]
    assert rows == places
    states = own.folder / "var" / "flink" / "stocks"
    wait_until(lambda: is_checkpoint(*state.each_newest(states)), "a checkpoint since the start")
    others = {name: own.pid(name) for name in ("kafka", "clickhouse", "producer", "api")}
    (java,) = [pid for pid, command in own.processes().items() if "PythonGateway" in command]
    (kafka,) = [command for command in own.processes().values() if " kafka.Kafka " in command]
    assert f"-Djava.io.tmpdir={own.folder / 'var' / 'kafka' / 'tmp'} " in kafka
    os.kill(java, signal.SIGKILL)
    demo.wait_line(r"^       job \| Flink's Java ended; .+ goes on from its last checkpoint when ")
    demo.wait_line(r"^       job \| job ended after \d+ s; it is started again$")
    demo.wait_line(r"^       job \| job stocks: resuming from .+/chk-\d+$")

    assert own.run("jobs", "stop", "stocks").code == 0
    demo.wait_line(
        r"^      demo \| job ended and is not started again; the other programs keep running; "
        "`make run-job` in a second terminal starts it$"
    )
    assert {name: own.pid(name) for name in others} == others
    assert re.search(r"^job +exited ", own.run("local", "status").out, re.MULTILINE)
    assert own.run("local", "down").out == "stopped; the data stays"
    ended = demo.end()
    assert (ended.code, ended.error.startswith("the embedded stack ")) == (2, True), demo.said
    wait_until(lambda: not own.processes(), "supervisord ended")
