"""Bind a socket, and serve an ASGI application on it with uvicorn."""

import errno
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from lib import ports, signals
from lib.errors import SetupError


def bind(host: str, port: int, setting: str) -> socket.socket:
    """A socket for the server; raise SetupError, with the setting to change, if there is none."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        fact = error.strerror if isinstance(error, OSError) else error
        raise SetupError(f"{host}: no such address: {fact}; change {setting}.") from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with _closed_on_error(listener, ports.address(host, port), setting):
        listener.bind(address)
    return listener


def listen(listener: socket.socket, setting: str) -> None:
    """Refuse no connection from now on, though the server takes a moment more to accept them; raise
    SetupError if another socket that is bound to the same port listens already."""
    host, port = listener.getsockname()[:2]
    with _closed_on_error(listener, ports.address(host, port), setting):
        listener.listen()


@contextmanager
def _closed_on_error(listener: socket.socket, place: str, setting: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        listener.close()
        fact = f"cannot be bound: {error.strerror}; change"
        if error.errno == errno.EADDRINUSE:
            fact = "the port is in use; end what listens there, or change"
        raise SetupError(f"{place}: {fact} {setting}.") from None


def serve(
    make_app: Callable[[Callable[[], bool]], Any], listener: socket.socket, **options: Any
) -> None:
    """Serve until SIGTERM or SIGINT, with these options of uvicorn. The application is made with a
    function that says whether the server is stopping."""
    logging.getLogger("uvicorn.error").addFilter(_is_worth_logging)
    app = make_app(lambda: server.should_exit)
    server = uvicorn.Server(uvicorn.Config(app, access_log=False, server_header=False, **options))
    # uvicorn stops at these signals and then raises them again: the exit status is to be 0. Not
    # earlier, since until it runs a signal that is ignored would be lost.
    signals.handle(lambda _: None)
    server.run(sockets=[listener])


def _is_worth_logging(record: logging.LogRecord) -> bool:
    """A response that an error breaks off has no end on purpose: the client sees that it is not
    complete. uvicorn takes that for a bug."""
    return record.msg != "ASGI callable returned without completing response."
