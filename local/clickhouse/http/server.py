"""The embedded ClickHouse behind a port of a loopback address."""

import fcntl
import ipaddress
from pathlib import Path

from lib import asgi
from lib.errors import SetupError, one_line
from local.clickhouse.errors import QueryError
from local.clickhouse.execution.service import Service
from local.clickhouse.http.app import App
from local.clickhouse.http.protocol import RawAddresses

# Clients pool connections and may reuse one late; a closed connection costs them a retry.
KEEP_ALIVE_SECONDS = 120
STOP_SECONDS = 5


def serve(path: Path, host: str, port: int, log_level: str) -> None:
    """Serve the database in a folder until SIGTERM or SIGINT; raise SetupError if it cannot."""
    listener = asgi.bind(_loopback(host), port, "--port or --host")
    app = App(open_service(path))
    asgi.serve(
        lambda _: app,
        listener,
        log_level=log_level,
        http=RawAddresses,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def _loopback(host: str) -> str:
    """The address, if only this machine reaches it: neither user has a password."""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        address = ipaddress.ip_address("0.0.0.0")
    if not address.is_loopback:
        raise SetupError(
            f"--host {host}: not a loopback address, and nothing here has a password; "
            "use 127.0.0.1, or a ClickHouse server for more than one machine."
        )
    return str(address)


def open_service(path: Path) -> Service:
    """Open the engine on a folder, which only one process can."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        _check_unlocked(path)
        return Service(path)
    except (OSError, QueryError) as error:
        raise SetupError(
            f"{path}: the database cannot be opened: {one_line(error)}; "
            "fix that, or give another --path."
        ) from None


def _check_unlocked(path: Path) -> None:
    """Try the engine's own lock first, since chDB prints lines of its own when it is taken."""
    with (path / "status").open("ab") as status:
        try:
            fcntl.flock(status, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(
                f"{path}: another process has this database open; stop it or give another --path."
            ) from None
