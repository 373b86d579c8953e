"""A contender gets its task from the environment, and ends with all its processes."""

import sys

import click
import psutil
import pytest

from bench import running
from bench.contenders import Contender
from bench.running import Task
from lib import conf
from lib.waiting import until

# Starts a process in a session of its own, as a daemon is, and writes its number.
PARENT = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], start_new_session=True, stdin=-1)
open(os.environ["BENCH_STATE"] + "/child", "w").write(str(child.pid))
child.wait()
"""


def contender(code: str) -> Contender:
    return Contender("one", "a program", "none", (sys.executable, "-c", code))


def test_a_contender_ends_with_the_processes_that_it_has_started() -> None:
    with running.task(conf.load(environ={}), "ticks") as given:
        child = given.state / "child"
        with running.started(contender(PARENT), given) as process:
            assert until(lambda: child.exists() and child.read_text(), 60)
            assert psutil.pid_exists(int(child.read_text()))
        assert process.returncode == -9
        left = [one for one in psutil.process_iter() if running.has(one, *given.mark.split("="))]
        assert left == []
    assert not given.state.exists()


def test_the_environment_says_what_to_drain_and_where_to() -> None:
    config = conf.load(environ={})
    with running.task(config, "ticks", MILLRACE_SQL_DIR="other") as given:
        environ = given.environ
    assert environ["BENCH_TOPIC"] == environ["MILLRACE_KAFKA__TOPIC"] == "ticks"
    assert environ["BENCH_SERVERS"] == config.kafka.bootstrap_servers
    assert environ["BENCH_CLICKHOUSE"] == f"http://{config.clickhouse.address}/"
    assert environ["BENCH_STATE"] == environ["MILLRACE_DATA_DIR"] == str(given.state)
    assert environ["MILLRACE_SQL_DIR"] == "other"
    assert Task(config, "ticks", given.state).group != given.group


def test_a_contender_that_has_ended_is_reported_with_its_output() -> None:
    failing = contender("print('no broker'); raise SystemExit(3)")
    with (
        running.task(conf.load(environ={}), "ticks") as given,
        running.started(failing, given) as process,
    ):
        process.wait()
        with pytest.raises(click.ClickException, match="one ended with 3:\nno broker"):
            running.check(process, failing, given)
