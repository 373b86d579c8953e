"""The programs of the embedded stack, and the wait until its servers answer."""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import urllib3

from lib import kafka, ports
from lib.errors import ServiceError, SetupError
from lib.files import show
from lib.settings import ClickHouse, Settings
from lib.waiting import until
from local.kafka import address as kafka_address
from local.supervisor import Supervisor
from local.supervisord_conf import Program

SERVERS = ("clickhouse", "kafka")

# The job of a demo.
JOB = "stocks"

# How long a server may take to answer after its start, in seconds.
SERVER_START_LIMIT = 90.0


def programs(config: Settings) -> list[Program]:
    """The servers, which `up` starts, and what a demo adds to them."""
    python = [sys.executable, "-m"]
    clickhouse = ["--path", str(config.data_dir / "clickhouse"), "--host", config.clickhouse.host]
    clickhouse += ["--port", str(config.clickhouse.port)]
    return [
        Program("kafka", [*python, "local.kafka"], 10, starts=True),
        Program("clickhouse", [*python, "local.clickhouse", *clickhouse], 10, starts=True),
        # Its Java alone takes long to start.
        Program("job", [*python, "jobs", "run", JOB], 20, stop_seconds=150, steady_seconds=120),
        Program("producer", [*python, "producer"], 30),
        Program("api", [*python, "api"], 30),
    ]


def check_ports(config: Settings) -> None:
    """Raise SetupError for the first port of the servers that another program has."""
    host, port = kafka_address(config)
    ports.check_free(host, port, "kafka.bootstrap_servers")
    ports.check_free(host, config.local.kafka_controller_port, "local.kafka_controller_port")
    ports.check_free(config.clickhouse.host, config.clickhouse.port, "clickhouse.port")


def wait(supervisor: Supervisor, config: Settings, say: Callable[[str], None]) -> None:
    """Return when both servers answer; raise SetupError with the last line of one that ended."""
    check = partial(_check_running, supervisor)
    services: list[tuple[str, Callable[[], bool], Callable[[], object]]] = [
        ("supervisord", supervisor.is_running, lambda: None),
        ("clickhouse", partial(_clickhouse_answers, config.clickhouse), check),
        ("kafka", partial(_kafka_answers, config.kafka.bootstrap_servers), check),
    ]
    deadline = time.monotonic() + SERVER_START_LIMIT
    for name, answers, waiting in services:
        say(f"waiting for {name}")
        if not until(answers, deadline - time.monotonic(), waiting=waiting):
            log = show(supervisor.log(name))
            raise ServiceError(f"{name}: no answer after {SERVER_START_LIMIT:.0f} s; see {log}.")


def last_line(log: Path) -> str:
    """The last line of a log, and where the rest is."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    last = lines[-1] if lines else "no output"
    return f"{last} (the whole of it is in {show(log)})"


def _check_running(supervisor: Supervisor) -> None:
    for name in SERVERS:
        if supervisor.has_ended(name):
            raise SetupError(f"{name} does not start: {last_line(supervisor.log(name))}")


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
