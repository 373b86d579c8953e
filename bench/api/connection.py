"""One connection to an HTTP server that is kept open."""

import http.client
from typing import Any

import click


class Connection:
    """A connection that is kept open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def request(self, method: str, path: str, *more: Any) -> int:
        """The size of the response, whose status must be 200."""
        self._connection.request(method, path, *more)
        response = self._connection.getresponse()
        size = 0
        while piece := response.read(1 << 20):
            size += len(piece)
        if response.status != 200:
            raise click.ClickException(f"{path}: {response.status}")
        return size
