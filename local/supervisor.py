"""A supervisord of our own: its configuration, its life, and what it is asked over its socket.

It restarts what dies and keeps the logs. http://supervisord.org/configuration.html
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
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from supervisor.xmlrpc import Faults, SupervisorTransport

from lib.errors import ServiceError, SetupError, StoppingError
from lib.processes import end_with_parent
from lib.settings import ROOT
from lib.sqlfiles import show

# How long the programs may take to end, in seconds.
STOP_LIMIT = 200.0

# How long it may take until it answers, in seconds.
START_LIMIT = 30.0

# A path of a Unix socket may have 107 bytes.
_SOCKET_LIMIT = 100

# No socket, nobody behind it, or one that closes it just now.
_NO_ANSWER = (OSError, http.client.HTTPException)

_RUNNING = ("RUNNING", "STARTING", "BACKOFF")

# How a program ends that is not started again: as it should, or for what a user must fix.
_FINAL = (0, 2)


@dataclass(frozen=True, slots=True)
class Program:
    """One supervised program; those of higher priority start later and end earlier."""

    name: str
    command: list[str]
    priority: int
    starts: bool
    stop_seconds: int
    # One that ends earlier again and again is left alone.
    steady_seconds: int = 10


class Supervisor:
    """The supervisord of one data folder, whether or not it runs."""

    def __init__(self, data_dir: Path) -> None:
        self._run = data_dir / "run"
        self._logs = data_dir / "log"
        self._launched: subprocess.Popen[bytes] | None = None
        self._socket = _socket(self._run)

    def log(self, name: str) -> Path:
        """What a program of this name, or supervisord itself, writes."""
        return self._logs / f"{name}.log"

    def launch(self, programs: Sequence[Program], *, attached: bool) -> None:
        """Start it, and the programs that start with it; attached, it ends with this process.
        Raise SetupError for a folder whose name its configuration can't hold."""
        if set('%"') & set(str(self._run)):
            raise SetupError(
                f"data_dir: {self._run.parent} has a % or a quote in it; take another."
            )
        for folder in (self._run, self._logs):
            folder.mkdir(parents=True, exist_ok=True)
        for program in programs:
            self._starts(program.name).unlink(missing_ok=True)
        file = self._run / "supervisord.conf"
        with file.open("w", encoding="utf-8") as stream:
            self._configuration(programs, attached).write(stream)
        # In a session of its own: Ctrl-C in the terminal is for us, who stop things in order.
        self._launched = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=end_with_parent if attached else None,
        )

    def abandon(self) -> None:
        """End what `launch` has started unattached, though it may not answer yet."""
        if not self._launched:
            return
        self._launched.terminate()
        if self._launched.wait() == 0:
            # It has gone into the background already, and will answer.
            deadline = time.monotonic() + START_LIMIT
            while not self.is_running() and time.monotonic() < deadline:
                time.sleep(0.1)
            self.shut_down()

    def is_running(self) -> bool:
        """Whether it answers; it does until all its programs have ended."""
        try:
            self._ask("getState")
        except StoppingError:
            return True
        except ServiceError:
            return False
        return True

    def states(self) -> dict[str, dict[str, Any]]:
        """Each program's `statename`, `pid`, `description`; raise ServiceError if nothing runs, and
        StoppingError while all are being ended."""
        found = cast(list[dict[str, Any]], self._ask("getAllProcessInfo"))
        return {info["name"]: info for info in found}

    def has_ended(self, name: str) -> bool:
        """Whether a program ended by itself and is not started again."""
        return has_ended(self.states()[name])

    def start(self, name: str) -> None:
        """Start one program, if it does not run."""
        if self.states()[name]["statename"] not in _RUNNING:
            self._starts(name).unlink(missing_ok=True)
            self._ask("startProcess", name, False)

    def stop(self, name: str) -> None:
        """Stop one program and return when it has ended."""
        if self.states()[name]["statename"] in _RUNNING:
            self._ask("stopProcess", name, True)

    def shut_down(self) -> None:
        """End all programs, those that write first; return when supervisord has ended too."""
        # Another may have asked for it already, and it may have ended since.
        with suppress(ServiceError):
            self._ask("shutdown")
        deadline = time.monotonic() + STOP_LIMIT
        while self.is_running():
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"the stack still runs after {STOP_LIMIT:.0f} s; see {show(self._logs)}."
                )
            time.sleep(0.1)
        if self._launched:
            self._launched.wait()

    def _starts(self, name: str) -> Path:
        """Where local.child counts the starts of a program."""
        return self._run / f"{name}.starts"

    def _ask(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            with closing(transport):
                return getattr(proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == Faults.SHUTDOWN_STATE:
                raise StoppingError(
                    "the embedded stack is being stopped; wait for its end, then `make up`."
                ) from fault
            raise
        except _NO_ANSWER as error:
            raise ServiceError(
                "the embedded stack does not run; start it with `make up`."
            ) from error

    def _configuration(
        self, programs: Sequence[Program], attached: bool
    ) -> configparser.RawConfigParser:
        conf = configparser.RawConfigParser()
        conf["unix_http_server"] = {"file": _quoted(self._socket), "chmod": "0700"}
        conf["rpcinterface:supervisor"] = {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        }
        conf["supervisord"] = {
            "logfile": _quoted(self.log("supervisord")),
            "pidfile": _quoted(self._run / "supervisord.pid"),
            "directory": _quoted(ROOT),
            "nodaemon": str(attached).lower(),
            "silent": "true",
        }
        for program in programs:
            conf[f"program:{program.name}"] = _section(
                program, self._starts(program.name), self.log(program.name)
            )
        return conf


def has_ended(info: Mapping[str, Any]) -> bool:
    """Whether the program of this state ended by itself and is not started again."""
    is_final = info["statename"] == "EXITED" and info["exitstatus"] in _FINAL
    return is_final or info["statename"] == "FATAL"


def _section(program: Program, starts: Path, log: Path) -> dict[str, str]:
    # A supervisord that is killed leaves no program behind that holds a port or a folder.
    child = [sys.executable, "-m", "local.child", program.name, program.steady_seconds, starts]
    return {
        "command": " ".join(f'"{_quoted(word)}"' for word in [*child, *program.command]),
        "priority": str(program.priority),
        "autostart": str(program.starts).lower(),
        # local.child counts the starts: only so does the status of what ends at once count, too.
        "autorestart": "unexpected",
        "exitcodes": ",".join(map(str, _FINAL)),
        "startsecs": "0",
        "stopwaitsecs": str(program.stop_seconds),
        "stdout_logfile": _quoted(log),
        "stdout_logfile_maxbytes": "20MB",
        "stdout_logfile_backups": "2",
        "redirect_stderr": "true",
        "environment": 'PYTHONUNBUFFERED="1"',
    }


def _socket(run: Path) -> Path:
    """Where it listens: in the data folder, or elsewhere if that path is too long."""
    socket = run / "supervisor.sock"
    if len(os.fsencode(socket)) <= _SOCKET_LIMIT:
        return socket
    name = hashlib.sha256(os.fsencode(socket)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"millrace-{os.getuid()}-{name}.sock"


def _quoted(text: object) -> str:
    """As supervisord's configuration takes a text: it expands each %."""
    return str(text).replace("%", "%%")
