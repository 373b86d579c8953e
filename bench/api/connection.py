"""One connection to an HTTP server that is kept open."""

import asyncio
import http.client
from typing import Any

import click

# How long an answer may take, in seconds.
LIMIT = 60.0


class Connection:
    """A connection that is kept open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)

    def request(self, method: str, path: str, *more: Any) -> int:
        """The size of the response; raise ClickException unless its status is 200."""
        try:
            self._connection.request(method, path, *more)
            response = self._connection.getresponse()
            size = 0
            while piece := response.read(1 << 20):
                size += len(piece)
        except (OSError, http.client.HTTPException) as error:
            raise click.ClickException(f"{path}: {error!r}") from None
        if response.status != 200:
            raise click.ClickException(f"{path}: {response.status}")
        return size


async def receive(reader: asyncio.StreamReader) -> None:
    """Read one response to its end; raise ClickException unless its status is 200."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b" 200 " not in head.partition(b"\r\n")[0]:
        raise click.ClickException(head.decode())
    _, has_length, length = head.partition(b"\r\ncontent-length: ")
    if has_length:
        await reader.readexactly(int(length.partition(b"\r\n")[0]))
        return
    # In chunks: each after a line with its size, and before the end of a line; the last is empty.
    size = -1
    while size:
        line = await reader.readline()
        if not line:
            raise asyncio.IncompleteReadError(line, None)
        size = int(line, 16)
        await reader.readexactly(size + 2)
