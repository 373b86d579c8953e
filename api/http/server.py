"""The HTTP server of the API: where it may listen, and its limits."""

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
from lib import asgi, ports
from lib.errors import SettingsError
from lib.settings import Api

# What to change when the address cannot be used.
SETTING = "api.port (MILLRACE_API__PORT, --port) or api.host"


def check_address(host: str, settings: Api) -> None:
    """Raise SettingsError for an address that other machines reach if no key is needed."""
    if settings.keys or ports.is_loopback(ports.address(host, settings.port)):
        return
    raise SettingsError(
        f"api.host {host}: other machines reach it, and no key is needed; "
        "set api.keys, or listen on 127.0.0.1."
    )


def serve(
    make_app: Callable[[Callable[[], bool]], App], settings: Api, listener: socket.socket
) -> None:
    """Serve until SIGTERM or SIGINT. The application is made with a function that says whether the
    server is stopping."""
    asgi.serve(
        make_app,
        listener,
        log_level="warning",
        http=partial(LimitedProtocol, settings, _overloaded(settings.max_connections)),
        # The head of one request; a longer one is refused before it fills the memory.
        h11_max_incomplete_event_size=settings.max_address + 16 * 1024,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
    )


class LimitedProtocol(H11Protocol):
    """HTTP/1.1 with a timeout for the head of a request, which begins with the connection or, on a
    kept one, with the head's first byte; connections beyond the limit get `overloaded`.

    uvicorn's limit_concurrency answers in plain text, and refuses served connections too."""

    def __init__(self, settings: Api, overloaded: App, **options: Any) -> None:
        super().__init__(**options)
        self._head_timeout = settings.head_timeout
        self._limit = settings.max_connections
        self._overloaded = overloaded
        self._timeout: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        if len(self.connections) > self._limit:
            self.app = self._overloaded
        self._update_timeout()

    def data_received(self, data: bytes) -> None:
        # Requests of clients that have disconnected may still be running.
        if len(self.tasks) >= self._limit:
            self.app = self._overloaded
        super().data_received(data)
        self._update_timeout()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timeout()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer a malformed head with a problem; before a malformed body the answer is sent."""
        if self.conn.our_state is not h11.IDLE:
            return
        error = sys.exception()
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        is_long = status == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        # After the colon comes the text of the client.
        fact = f"This is not HTTP: {str(error).partition(':')[0]}."
        problem = ProblemError(status, "The head is too long; ask for less." if is_long else fact)
        body = problem.body()
        head = h11.Response(status_code=status, headers=closing_headers(problem, body))
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _update_timeout(self) -> None:
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._cancel_timeout()
        elif self._timeout is None:
            handler = self.timeout_keep_alive_handler
            self._timeout = self.loop.call_later(self._head_timeout, handler)

    def _cancel_timeout(self) -> None:
        if self._timeout:
            self._timeout.cancel()
        self._timeout = None


def _overloaded(limit: int) -> App:
    """The answer to a connection beyond the limit."""
    detail = f"{limit} connections are served already; try again later."
    return problem_app(ProblemError(503, detail, {"Retry-After": "1"}))
