"""The HTTP server of the API: where it may listen, and its limits."""

import ipaddress
import socket
import sys
from asyncio import BaseTransport, TimerHandle
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.http.middleware import App, closing_headers, problem_app
from api.problems import ProblemError
from lib import asgi
from lib.errors import SettingsError
from lib.settings import Api

# What to change when the address cannot be used.
SETTING = "api.port (MILLRACE_API__PORT, --port) or api.host"


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
    """Serve until SIGTERM or SIGINT. The application is made with a function that says whether the
    server is stopping."""
    asgi.serve(
        make_app,
        listener,
        log_level="warning",
        http=partial(Protocol, settings, _full(settings.max_connections)),
        # One request's head; what follows is refused before it fills memory.
        h11_max_incomplete_event_size=settings.max_address + 16 * 1024,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
    )


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
        head = h11.Response(status_code=status, headers=closing_headers(problem, body))
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
    return problem_app(ProblemError(503, detail, {"Retry-After": "1"}))
