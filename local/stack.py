"""The programs of the embedded stack, kept running by a supervisord of their own.

supervisord restarts what dies and keeps the logs; everything it writes is under the data folder.
"""

import configparser
import hashlib
import http.client
import os
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import urllib3
from supervisor.xmlrpc import Faults, SupervisorTransport

from lib import kafka, ports, sqlfiles
from lib.errors import ServiceError, SetupError
from lib.processes import end_with_parent
from lib.settings import ROOT, Settings
from local.kafka import address as kafka_address

# How long the servers may take to answer, and the programs to end, in seconds.
START_LIMIT = 90.0
STOP_LIMIT = 200.0

# A path of a Unix socket may have 107 bytes.
_SOCKET_LIMIT = 100

# No socket, nobody behind it, or one that closes it just now.
_NO_SUPERVISOR = (OSError, http.client.HTTPException)


@dataclass(frozen=True, slots=True)
class Program:
    """One supervised program; those of higher priority start later and end earlier."""

    name: str
    command: list[str]
    priority: int
    starts: bool
    stop_seconds: int


def programs(config: Settings, job: str) -> list[Program]:
    """The servers, which `up` starts, and what a demo adds to them."""
    # A supervisord that is killed leaves no program behind that holds a port or a folder.
    python = [sys.executable, "-m", "local.child", sys.executable, "-m"]
    clickhouse = ["--path", str(config.data_dir / "clickhouse"), "--host", config.clickhouse.host]
    clickhouse += ["--port", str(config.clickhouse.port)]
    return [
        Program("kafka", [*python, "local.kafka"], 10, True, 30),
        Program("clickhouse", [*python, "local.clickhouse", *clickhouse], 10, True, 30),
        Program("job", [*python, "jobs", "run", job], 20, False, 150),
        Program("producer", [*python, "producer"], 30, False, 30),
    ]


class Stack:
    """The supervisord of one data folder, whether or not it runs."""

    def __init__(self, config: Settings, job: str = "stocks") -> None:
        self._config = config
        self._programs = programs(config, job)
        self._run = config.data_dir / "run"
        self.logs = config.data_dir / "log"
        self._socket = _socket(self._run)

    # What it says of itself.

    def is_running(self) -> bool:
        """Whether its supervisord answers; it does until all its programs have ended."""
        try:
            self._ask("getState")
        except ServiceError:
            return False
        except xmlrpc.client.Fault as fault:
            return bool(fault.faultCode == Faults.SHUTDOWN_STATE)
        return True

    def states(self) -> dict[str, dict[str, Any]]:
        """Each program's `statename`, `pid`, `description`; raise ServiceError if nothing runs."""
        found = cast(list[dict[str, Any]], self._ask("getAllProcessInfo"))
        return {info["name"]: info for info in found}

    def has_ended(self, name: str) -> bool:
        """Whether a program ended by itself and is not started again."""
        return self.states()[name]["statename"] in ("EXITED", "FATAL")

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _ask(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except _NO_SUPERVISOR as error:
            raise ServiceError(
                "the embedded stack does not run; start it with `make up`."
            ) from error

    # Starting.

    def launch(self, *, attached: bool) -> None:
        """Start supervisord and with it the servers; attached, it ends with this process."""
        self._check_ports()
        for folder in (self._run, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        file = self._run / "supervisord.conf"
        with file.open("w", encoding="utf-8") as stream:
            self._configuration(attached).write(stream)
        # In a session of its own: Ctrl-C in the terminal is for us, who stop things in order.
        subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=end_with_parent if attached else None,
        )

    def wait(self, say: Callable[[str], None]) -> None:
        """Return when both servers answer; raise SetupError with its last words if one died."""
        deadline = time.monotonic() + START_LIMIT
        waiting = {
            "supervisord": self.is_running,
            "clickhouse": self._clickhouse_answers,
            "kafka": self._kafka_answers,
        }
        for name, answers in waiting.items():
            say(f"waiting for {name}")
            while not answers():
                self._check_alive()
                if time.monotonic() > deadline:
                    raise ServiceError(
                        f"{name}: no answer after {START_LIMIT:.0f} s; "
                        f"see {sqlfiles.show(self.log(name))}."
                    )
                time.sleep(0.1)

    def _check_ports(self) -> None:
        host, port = kafka_address(self._config)
        ports.check_free(host, port, "kafka.bootstrap_servers")
        ports.check_free(
            host, self._config.local.kafka_controller_port, "local.kafka_controller_port"
        )
        ports.check_free(
            self._config.clickhouse.host, self._config.clickhouse.port, "clickhouse.port"
        )

    def _check_alive(self) -> None:
        with suppress(ServiceError):
            for name in ("kafka", "clickhouse"):
                if self.has_ended(name):
                    log = self.log(name)
                    raise SetupError(
                        f"{name} does not start: {last_line(log)} "
                        f"(the whole of it is in {sqlfiles.show(log)})"
                    )

    def _clickhouse_answers(self) -> bool:
        try:
            return (
                urllib3.request(
                    "GET",
                    f"http://{self._config.clickhouse.address}/ping",
                    timeout=2,
                    retries=False,
                ).status
                == 200
            )
        except urllib3.exceptions.HTTPError:
            return False

    def _kafka_answers(self) -> bool:
        try:
            kafka.topics(self._config.kafka.bootstrap_servers)
        except ServiceError:
            return False
        return True

    # Ending.

    def start(self, name: str) -> None:
        """Start one program, if it does not run."""
        if self.states()[name]["statename"] not in ("RUNNING", "STARTING"):
            self._ask("startProcess", name, False)

    def stop(self, name: str) -> None:
        """Stop one program and return when it has ended."""
        if self.states()[name]["statename"] in ("RUNNING", "STARTING", "BACKOFF"):
            self._ask("stopProcess", name, True)

    def shut_down(self) -> None:
        """End all programs, those that write first; return when supervisord has ended too."""
        self._ask("shutdown")
        deadline = time.monotonic() + STOP_LIMIT
        while self._socket.exists() and self.is_running():
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"the stack still runs after {STOP_LIMIT:.0f} s; "
                    f"see {sqlfiles.show(self.logs)}."
                )
            time.sleep(0.1)

    def _configuration(self, attached: bool) -> configparser.RawConfigParser:
        conf = configparser.RawConfigParser()
        conf["unix_http_server"] = {"file": _quoted(self._socket), "chmod": "0700"}
        conf["rpcinterface:supervisor"] = {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        }
        conf["supervisord"] = {
            "logfile": _quoted(self.logs / "supervisord.log"),
            "pidfile": _quoted(self._run / "supervisord.pid"),
            "directory": _quoted(ROOT),
            "nodaemon": str(attached).lower(),
            "silent": "true",
        }
        for program in self._programs:
            conf[f"program:{program.name}"] = {
                "command": " ".join(f'"{_quoted(word)}"' for word in program.command),
                "priority": str(program.priority),
                "autostart": str(program.starts).lower(),
                # 2 is ours for what a user must mend; to try again would not help.
                "autorestart": "unexpected",
                "exitcodes": "0,2",
                "startretries": "3",
                "stopwaitsecs": str(program.stop_seconds),
                "stdout_logfile": _quoted(self.log(program.name)),
                "stdout_logfile_maxbytes": "20MB",
                "stdout_logfile_backups": "2",
                "redirect_stderr": "true",
                "environment": 'PYTHONUNBUFFERED="1"',
            }
        return conf


def last_line(file: Path) -> str:
    """What a program said last, or that it said nothing."""
    lines = file.read_text(encoding="utf-8", errors="replace").split("\n") if file.exists() else []
    said = [line.strip() for line in lines if line.strip()]
    return said[-1] if said else "it said nothing"


def _socket(run: Path) -> Path:
    """Where supervisord listens: in the data folder, or elsewhere if that path is too long."""
    socket = run / "supervisor.sock"
    if len(os.fsencode(socket)) <= _SOCKET_LIMIT:
        return socket
    name = hashlib.sha256(os.fsencode(socket)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"millrace-{os.getuid()}-{name}.sock"


def _quoted(text: object) -> str:
    """As supervisord's configuration takes a text: it expands each %."""
    return str(text).replace("%", "%%")
