"""`local`: up, down and status of the embedded stack, and the failures that it survives."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.processes import end_with_parent
from local.supervisor import Supervisor
from tests.e2e.support import ROOT, Place, sql_with, tick, ticks, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Place]:
    """A place for a stack of its own, where nothing runs yet."""
    place = Place.new(tmp_path)
    yield place
    place.run("local", "down")
    place.clear()


def status(place: Place) -> int:
    return place.run("local", "status").code


def test_an_up_that_is_interrupted_leaves_nothing(own: Place) -> None:
    """Also if its parent ignores SIGINT, as a shell does for background jobs."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        up = own.start("local", "up")
    finally:
        signal.signal(signal.SIGINT, before)
    wait_until(lambda: "supervisord" in str(own.processes()), "it starts something")
    up.interrupt()
    assert up.end().code == 1
    assert own.processes() == {}


def test_up_down_and_status_and_a_killed_supervisor(own: Place) -> None:
    ended = own.run("local", "down")
    assert (ended.code, ended.out) == (0, "nothing runs")
    ended = own.run("local", "status")
    assert (ended.code, ended.out) == (1, "nothing runs; start it with `make up`")
    port = int(own.names["MILLRACE_CLICKHOUSE__PORT"])
    with socket.create_server(("127.0.0.1", port)):
        assert own.run("local", "up").error == (
            f"port {port} on 127.0.0.1 is in use; end what uses it, or change clickhouse.port "
            "(MILLRACE_CLICKHOUSE__PORT)."
        )

    own = own.having(SQL_DIR=sql_with(own.folder))
    jobs = own.folder / "sql" / "flink"
    text = next((jobs / "stocks").glob("*_source_*")).read_text()
    (jobs / "quotes").mkdir()
    source = jobs / "quotes" / "100_source_raw_ticks.sql"
    source.write_text(text.replace("${KAFKA_TOPIC}", "quotes"))
    (jobs / "broken").mkdir()
    first = own.run("local", "up")
    # One that is begun keeps nothing else from starting.
    warning = f"job broken: its topics are not made: {jobs}/broken: holds no .sql file; add one,"
    assert (first.code, first.err) == (0, f"{warning} as 001_table_<name>.sql.")
    for topic in ("stock-ticks", "quotes"):
        assert f"topic {topic}: made with 4 partitions" in first.out
    assert f"applied {own.folder}/sql/clickhouse/001_table_ticks.sql" in first.out
    (jobs / "broken").rmdir()
    running = own.processes()
    again = own.run("local", "up")
    assert (again.code, again.err) == (0, "")
    assert " made" not in again.out and "applied" not in again.out
    assert own.processes() == running and status(own) == 0

    own.send(ticks(0, 100))
    own.ask("INSERT INTO stocks.ticks (symbol, volume) VALUES ('AAPL', 42)")
    os.kill(int((own.folder / "var/run/supervisord.pid").read_text()), signal.SIGKILL)
    wait_until(lambda: not own.processes(), "its programs ended with it")
    assert status(own) == 1
    assert own.run("local", "up").code == 0
    assert own.records() == 100
    assert own.ask("SELECT symbol, volume FROM stocks.ticks") == [["AAPL", 42]]
    own.send([tick(0)])

    supervisor = Supervisor(own.folder / "var")
    for name in ("clickhouse", "kafka"):
        supervisor.stop(name)
        assert status(own) == 1, f"{name} is missed"
        supervisor.start(name)
        wait_until(own.has_servers, "both run")
        own.kill_program(name)
    wait_until(own.has_servers, "both run again")
    assert status(own) == 0
    assert wait_until(own.count, "ClickHouse answers") == 1
    assert own.records() == 101

    ended = own.run("local", "down")
    assert (ended.code, ended.out) == (0, "stopped; the data stays")
    assert own.processes() == {}


def test_all_ends_with_a_killed_parent(own: Place) -> None:
    """As the tests themselves rely on: whoever started the stack may be killed."""
    parent = (
        "import subprocess, sys, time\n"
        "from lib.processes import end_with_parent\n"
        "command = [sys.executable, '-m', 'local', 'up', '--foreground']\n"
        "subprocess.Popen(command, preexec_fn=end_with_parent)\n"
        "time.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent],
        cwd=ROOT,
        env=os.environ | own.names,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=end_with_parent,
    )
    with process, process.stdout as said:
        assert any("Ctrl-C stops them" in line for line in said)
        process.kill()
    wait_until(lambda: not own.processes(), "the stack ended")
