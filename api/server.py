"""Listens, and runs the application until it is told to stop."""

import errno
import ipaddress
import logging
import signal
import socket
from collections.abc import Callable

import uvicorn

from api.shield import App
from lib.errors import SettingsError, SetupError
from lib.settings import Api


def check_address(host: str, settings: Api) -> None:
    """Raise SettingsError for an address that others reach while anyone may ask."""
    if settings.keys or is_loopback(host):
        return
    raise SettingsError(
        f"api.host {host}: other machines reach it, and no key is needed; "
        "set api.keys, or listen on 127.0.0.1."
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serve(
    make_app: Callable[[Callable[[], bool]], App], settings: Api, host: str, port: int
) -> None:
    """Serve until SIGTERM or SIGINT; raise SetupError if the port cannot be had. What is made is
    told by a call whether the server wants to stop."""
    listener = bind(host, port)
    servers: list[uvicorn.Server] = []
    app = make_app(lambda: any(server.should_exit for server in servers))
    # uvicorn stops at these signals and then raises them again: the exit status is to be 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    logging.getLogger("uvicorn.error").addFilter(_is_worth_saying)
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        server_header=False,
        http="h11",
        # One request's head; what follows is refused before it fills memory.
        h11_max_incomplete_event_size=settings.max_address + 16 * 1024,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
    )
    servers.append(uvicorn.Server(config))
    servers[0].run(sockets=[listener])


def _is_worth_saying(record: logging.LogRecord) -> bool:
    """An answer that breaks off because ClickHouse went away is told to the client by its missing
    end; uvicorn takes that for a bug."""
    return record.msg != "ASGI callable returned without completing response."


def bind(host: str, port: int) -> socket.socket:
    """A listening socket."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        remedy = "end what listens there or give another --port"
        if error.errno != errno.EADDRINUSE:
            raise SetupError(f"{host}:{port}: cannot be bound: {error.strerror}.") from None
        raise SetupError(f"{host}:{port}: the port is in use; {remedy}.") from None
    return listener
