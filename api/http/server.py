"""Listens, and runs the application until it is told to stop."""

import errno
import ipaddress
import logging
import signal
import socket
import sys
from asyncio import BaseTransport, TimerHandle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.http.middleware import App, last_headers, refusing
from api.problems import ProblemError
from lib import ports
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
    make_app: Callable[[Callable[[], bool]], App], settings: Api, listener: socket.socket
) -> None:
    """Serve until SIGTERM or SIGINT. What is made is told by a call whether the server wants to
    stop."""
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
        http=partial(Protocol, settings, _full(settings.max_connections)),  # type: ignore[arg-type]
        # One request's head; what follows is refused before it fills memory.
        h11_max_incomplete_event_size=settings.max_address + 16 * 1024,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
    )
    servers.append(uvicorn.Server(config))
    servers[0].run(sockets=[listener])


class Protocol(H11Protocol):
    """HTTP/1.1 that waits only so long for the head of a request, from the connection or, on one
    that is kept, from its first byte, and serves only so many connections; another is for `full`.

    uvicorn's own limit_concurrency refuses in plain text, and also who is served already."""

    def __init__(self, settings: Api, full: App, **given: Any) -> None:
        super().__init__(**given)
        self._head_timeout = settings.head_timeout
        self._most = settings.max_connections
        self._full = full
        self._waiting: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        if len(self.connections) > self._most:
            self.app = self._full
        self._wait()

    def data_received(self, data: bytes) -> None:
        # What clients asked for that have left may still be under way.
        if len(self.tasks) >= self._most:
            self.app = self._full
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Say as a problem what h11 has just refused; where only a body is wrong, the request is
        answered already."""
        if self.conn.our_state is not h11.IDLE:
            return
        error = sys.exception()
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        is_long = status == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        # After a colon stands what was sent.
        fact = f"This is no HTTP: {str(error).partition(':')[0]}."
        problem = ProblemError(status, "The head is too long; ask for less." if is_long else fact)
        body = problem.body()
        head = h11.Response(status_code=status, headers=last_headers(problem, body))
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _wait(self) -> None:
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._wait_no_more()
        elif self._waiting is None:
            handler = self.timeout_keep_alive_handler
            self._waiting = self.loop.call_later(self._head_timeout, handler)

    def _wait_no_more(self) -> None:
        if self._waiting:
            self._waiting.cancel()
        self._waiting = None


def _full(most: int) -> App:
    """What answers a connection that is one too many."""
    detail = f"{most} connections are served already; try again later."
    return refusing(ProblemError(503, detail, {"Retry-After": "1"}))


def _is_worth_saying(record: logging.LogRecord) -> bool:
    """An answer that breaks off because ClickHouse went away is told to the client by its missing
    end; uvicorn takes that for a bug."""
    return record.msg != "ASGI callable returned without completing response."


def bind(host: str, port: int) -> socket.socket:
    """A socket for the server; raise SetupError if the port cannot be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise SetupError(f"api.host {host}: no such address: {error.strerror}; mend it.") from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with _closed_on_error(listener, ports.address(host, port)):
        listener.bind(address)
    return listener


def listen(listener: socket.socket, host: str, port: int) -> None:
    """Refuse nobody from now on, though the server takes a moment more; raise SetupError if
    another, bound like this one, listens already."""
    with _closed_on_error(listener, ports.address(host, port)):
        listener.listen()


@contextmanager
def _closed_on_error(listener: socket.socket, place: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise SetupError(f"{place}: cannot be bound: {error.strerror}.") from None
        raise SetupError(
            f"{place}: the port is in use; end what listens there, or change api.port "
            "(MILLRACE_API__PORT, --port)."
        ) from None
