"""One connection to Flink's Java, and so one thread of Java, for each thread of Python.

Flink's planner keeps its metadata provider in the thread of Java that made the planner
(https://issues.apache.org/jira/browse/FLINK-23020); on another it fails. Py4J has one pool for all
threads: a thread that calls Java, if only to release an object, may leave this one another's.
"""

import threading
from typing import Any

from pyflink import java_gateway


class OwnConnections(threading.local):
    """The connections that this thread does not use at the moment, in place of Py4J's deque.

    More than one only if an object is released during a call; the first is on top again after."""

    def __init__(self) -> None:
        self._connections: list[Any] = []

    def __len__(self) -> int:
        return len(self._connections)

    def pop(self) -> Any:
        """Take the connection that was given back last; raise IndexError if none is left."""
        return self._connections.pop()

    def append(self, connection: Any) -> None:
        """Give a connection back."""
        self._connections.append(connection)


def keep_apart() -> None:
    """From now on no thread uses the connection of another; those there are become this one's."""
    client = java_gateway.get_gateway()._gateway_client
    if isinstance(client.deque, OwnConnections):
        return
    own = OwnConnections()
    while client.deque:
        own.append(client.deque.popleft())
    client.deque = own
