"""The configuration of a supervisord: http://supervisord.org/configuration.html"""

import configparser
import hashlib
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.conf import ROOT

# A path of a Unix socket may have 107 bytes, and supervisord first adds its process id to it.
_SOCKET_LIMIT = 100

# Exit statuses after which a program is not started again: success, and what a user must fix.
FINAL = (0, 2)


@dataclass(frozen=True, slots=True)
class Program:
    """One supervised program; those of higher priority start later and end earlier."""

    name: str
    command: list[str]
    priority: int
    # Whether it starts with supervisord.
    starts: bool = False
    stop_seconds: int = 30
    # A program that ends earlier than this several times in a row stays down.
    steady_seconds: int = 10


@dataclass(frozen=True, slots=True)
class Files:
    """The files of the supervisord of one data folder."""

    data_dir: Path

    @property
    def run(self) -> Path:
        return self.data_dir / "run"

    @property
    def logs(self) -> Path:
        return self.data_dir / "log"

    @property
    def socket(self) -> Path:
        """In the data folder, or else in the temporary folder, or in /tmp: where the path is short
        enough."""
        socket = self.run / "supervisor.sock"
        digest = hashlib.sha256(os.fsencode(socket)).hexdigest()[:16]
        name = f"millrace-{os.getuid()}-{digest}.sock"
        last = Path("/tmp") / name
        paths = (socket, Path(tempfile.gettempdir()) / name)
        return next((path for path in paths if len(os.fsencode(path)) <= _SOCKET_LIMIT), last)

    def log(self, name: str) -> Path:
        """The output of a program, or of supervisord itself."""
        return self.logs / f"{name}.log"

    def starts(self, name: str) -> Path:
        """Where local.child counts the starts of a program."""
        return self.run / f"{name}.starts"


def configuration(
    programs: Sequence[Program], files: Files, *, attached: bool
) -> configparser.RawConfigParser:
    """The whole configuration; attached, supervisord stays in the foreground."""
    conf = configparser.RawConfigParser()
    conf["unix_http_server"] = {"file": _escaped(files.socket), "chmod": "0700"}
    conf["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    conf["supervisord"] = {
        "logfile": _escaped(files.log("supervisord")),
        "pidfile": _escaped(files.run / "supervisord.pid"),
        "directory": _escaped(ROOT),
        "nodaemon": str(attached).lower(),
        "silent": "true",
    }
    for program in programs:
        conf[f"program:{program.name}"] = _section(program, files)
    return conf


def _section(program: Program, files: Files) -> dict[str, str]:
    starts = files.starts(program.name)
    # A supervisord that is killed leaves no program behind that holds a port or a folder.
    child = [sys.executable, "-m", "local.child", program.name, program.steady_seconds, starts]
    return {
        "command": " ".join(f'"{_escaped(word)}"' for word in [*child, *program.command]),
        "priority": str(program.priority),
        "autostart": str(program.starts).lower(),
        # local.child limits the starts: supervisord's own limit would ignore the exit status.
        "autorestart": "unexpected",
        "exitcodes": ",".join(map(str, FINAL)),
        "startsecs": "0",
        "stopwaitsecs": str(program.stop_seconds),
        "stdout_logfile": _escaped(files.log(program.name)),
        "stdout_logfile_maxbytes": "20MB",
        "stdout_logfile_backups": "2",
        "redirect_stderr": "true",
        "environment": 'PYTHONUNBUFFERED="1"',
    }


def _escaped(text: object) -> str:
    """supervisord expands each % in a value."""
    return str(text).replace("%", "%%")
