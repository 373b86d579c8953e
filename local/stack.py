"""The programs of the embedded stack: which they are, and when they can be used."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import urllib3

from lib import kafka, ports
from lib.errors import ServiceError, SetupError
from lib.settings import ClickHouse, Settings
from lib.sqlfiles import show
from local.kafka import address as kafka_address
from local.supervisor import Program, Supervisor

SERVERS = ("clickhouse", "kafka")

# The job of a demo.
JOB = "stocks"

# How long the servers may take to answer, in seconds.
START_LIMIT = 90.0


def programs(config: Settings) -> list[Program]:
    """The servers, which `up` starts, and what a demo adds to them."""
    python = [sys.executable, "-m"]
    clickhouse = ["--path", str(config.data_dir / "clickhouse"), "--host", config.clickhouse.host]
    clickhouse += ["--port", str(config.clickhouse.port)]
    return [
        Program("kafka", [*python, "local.kafka"], priority=10, starts=True, stop_seconds=30),
        Program(
            "clickhouse",
            [*python, "local.clickhouse", *clickhouse],
            priority=10,
            starts=True,
            stop_seconds=30,
        ),
        Program(
            "job",
            [*python, "jobs", "run", JOB],
            priority=20,
            starts=False,
            stop_seconds=150,
            # Its Java alone takes long to start.
            steady_seconds=120,
        ),
        Program("producer", [*python, "producer"], priority=30, starts=False, stop_seconds=30),
        Program("api", [*python, "api"], priority=30, starts=False, stop_seconds=30),
    ]


def check_ports(config: Settings) -> None:
    """Raise SetupError for the first port of the servers that another program has."""
    host, port = kafka_address(config)
    ports.check_free(host, port, "kafka.bootstrap_servers")
    ports.check_free(host, config.local.kafka_controller_port, "local.kafka_controller_port")
    ports.check_free(config.clickhouse.host, config.clickhouse.port, "clickhouse.port")


def wait(supervisor: Supervisor, config: Settings, say: Callable[[str], None]) -> None:
    """Return when both servers answer; raise SetupError with its last words if one died."""
    deadline = time.monotonic() + START_LIMIT
    waiting: dict[str, Callable[[], bool]] = {
        "supervisord": supervisor.is_running,
        "clickhouse": lambda: _clickhouse_answers(config.clickhouse),
        "kafka": lambda: _kafka_answers(config.kafka.bootstrap_servers),
    }
    for name, answers in waiting.items():
        say(f"waiting for {name}")
        while not answers():
            if name != "supervisord":
                _check_alive(supervisor)
            if time.monotonic() > deadline:
                log = show(supervisor.log(name))
                raise ServiceError(f"{name}: no answer after {START_LIMIT:.0f} s; see {log}.")
            time.sleep(0.1)


def last_line(file: Path) -> str:
    """What a program said last, or that it said nothing."""
    lines = file.read_text(encoding="utf-8", errors="replace").split("\n") if file.exists() else []
    said = [line.strip() for line in lines if line.strip()]
    return said[-1] if said else "it said nothing"


def _check_alive(supervisor: Supervisor) -> None:
    for name in SERVERS:
        if supervisor.has_ended(name):
            log = supervisor.log(name)
            raise SetupError(
                f"{name} does not start: {last_line(log)} (the whole of it is in {show(log)})"
            )


def _clickhouse_answers(settings: ClickHouse) -> bool:
    try:
        url = f"http://{settings.address}/ping"
        return urllib3.request("GET", url, timeout=2, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _kafka_answers(servers: str) -> bool:
    try:
        kafka.topics(servers)
    except ServiceError:
        return False
    return True
