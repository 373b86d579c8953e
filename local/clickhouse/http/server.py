"""Binds the port and runs the application until it is told to stop."""

import errno
import fcntl
import ipaddress
import logging
import signal
import socket
from pathlib import Path

import uvicorn

from lib.errors import SetupError, one_line
from local.clickhouse.errors import QueryError
from local.clickhouse.execution.service import Service
from local.clickhouse.http.app import App
from local.clickhouse.http.protocol import RawAddresses

# Clients pool connections and may come back late; a dead pooled connection costs them a retry.
KEEP_ALIVE_SECONDS = 120
STOP_SECONDS = 5


def serve(path: Path, host: str, port: int, log_level: str) -> None:
    """Serve the database in a folder until SIGTERM or SIGINT; raise SetupError if it cannot."""
    listener = bind(host, port)
    app = App(open_service(path))
    # uvicorn stops at these signals and then raises them again: the exit status is to be 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    _quiet_broken_answers()
    config = uvicorn.Config(
        app,
        log_level=log_level,
        access_log=False,
        server_header=False,
        http=RawAddresses,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _quiet_broken_answers() -> None:
    """An answer that an error breaks off has no end on purpose; uvicorn takes that for a bug."""
    quiet = "ASGI callable returned without completing response."
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.msg != quiet)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket on a loopback address: neither user has a password."""
    address = _loopback(host)
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((str(address), port))
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise SetupError(
                f"{host}:{port}: cannot be bound ({error.strerror}); give another --host or --port."
            ) from None
        raise SetupError(
            f"{host}:{port}: the port is in use; stop what listens there or give another --port."
        ) from None
    return listener


def _loopback(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        address = ipaddress.ip_address("0.0.0.0")
    if not address.is_loopback:
        raise SetupError(
            f"--host {host}: not a loopback address, and nothing here has a password; "
            "use 127.0.0.1, or a ClickHouse server for more than one machine."
        )
    return address


def open_service(path: Path) -> Service:
    """Open the engine on a folder, which only one process can."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        _check_unlocked(path)
        return Service(path)
    except (OSError, QueryError) as error:
        raise SetupError(
            f"{path}: the database cannot be opened: {one_line(error)}; "
            "mend that, or give another --path."
        ) from None


def _check_unlocked(path: Path) -> None:
    """Ask the engine's own lock first, since chDB prints lines of its own when it is taken."""
    with (path / "status").open("ab") as status:
        try:
            fcntl.flock(status, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(
                f"{path}: another process has this database open; stop it or give another --path."
            ) from None
