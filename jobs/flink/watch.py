"""Watches whether Flink's Java still answers, beside a runner that may be waiting for it."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

# How often Java is asked for its time, and how long it may take to answer, in seconds.
ASK_EVERY = 5.0
ANSWER_LIMIT = 10.0

# How many times in a row it may not answer. Not once: the limit also passes while this process and
# Java are stopped together, by a terminal or because the machine sleeps.
LIMIT = 3

# A call of a static method in the protocol of Py4J, whose own client has no limit for an answer.
_ASK = b"c\nz:java.lang.System\nnanoTime\ne\n"


def watch(port: int, ended: threading.Event, give_up: Callable[[], object]) -> None:
    """Ask the Java at this port until `ended`, or call `give_up` when it does not answer.

    In a thread of its own: a runner that waits for an answer of Java waits without a limit."""
    silent = 0
    while silent < LIMIT and not ended.wait(ASK_EVERY):
        silent = 0 if _answers(port) else silent + 1
    if not ended.is_set():
        give_up()


def _answers(port: int) -> bool:
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", port), ANSWER_LIMIT) as connection,
    ):
        connection.sendall(_ASK)
        return bool(connection.recv(1))
    return False
