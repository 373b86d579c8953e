"""One HTTP response: headers, body, compression, and errors before or in the middle of it."""

import json
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict
from typing import Any

from local.clickhouse.engine.handle import Totals
from local.clickhouse.errors import QueryError
from local.clickhouse.execution.run import Answer
from local.clickhouse.execution.service import Service
from local.clickhouse.formats.compressed_blocks import Blocks
from local.clickhouse.formats.content_encoding import Both, Compressor, Plain, choose
from local.clickhouse.request.parameters import CONTROL
from local.clickhouse.request.query import Query

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
_NAME = socket.gethostname()
_TEXT = "text/plain; charset=UTF-8"


class Response:
    """The response to one request."""

    def __init__(self, send: Send, service: Service, query_id: str) -> None:
        self._send = send
        self._service = service
        self._begun = False
        self.query_id = query_id
        self._blocks: Compressor = Plain()
        self.client_is_gone = False
        self.complete = False
        self._finish: Callable[[], Awaitable[None]] | None = None

    def expect(self, query: Query) -> None:
        """Set the query; from here on an error is compressed as an answer is."""
        self.query_id = query.query_id
        if query.compress:
            self._blocks = Blocks(query.settings)

    async def text(self, status: int, text: str) -> None:
        """Send a text."""
        body = text.encode(errors="replace")
        await self._start(status, {"Content-Type": _TEXT}, len(body))
        await self._body(body, last=True)

    async def fail(self, error: QueryError) -> None:
        """Send an error, with a server's text and code."""
        if self._begun:
            return
        body = _pack(self._blocks, f"{self._versioned(error)}\n".encode(errors="replace"))
        headers = self._headers(_TEXT, "TabSeparated")
        headers["X-ClickHouse-Exception-Code"] = str(error.code)
        headers["X-ClickHouse-Summary"] = _summary(Totals())
        await self._start(error.status, headers, len(body))
        await self._body(body, last=True)

    async def answer(self, query: Query, answer: Answer) -> None:
        """Send an answer except its end: finish() sends that, once the query's id and session
        are free, since a client sends its next query as soon as it has received the end."""
        kind = self._service.content_types.get(answer.fmt.lower(), _TEXT)
        headers = self._headers(kind, answer.fmt) if answer.has_rows else self._headers(_TEXT)
        headers["X-ClickHouse-Summary"] = _summary(answer.totals)
        encoding, packer = self._compression(query)
        if encoding:
            headers["Content-Encoding"] = encoding
        if answer.rest is None:
            await self._whole(headers, packer, b"".join(answer.head))
        else:
            await self._stream(headers, packer, answer)

    async def _whole(self, headers: dict[str, str], packer: Compressor, body: bytes) -> None:
        if not body:
            headers.pop("Content-Encoding", None)
            packer = Plain()
        # Compressing a larger body would block all other requests; a thread for a smaller one costs
        # more than it saves.
        packed = (
            await self._service.call(_pack, packer, body)
            if len(body) > 65536
            else _pack(packer, body)
        )

        async def finish() -> None:
            await self._start(200, headers, len(packed))
            await self._body(packed, last=True)

        self._finish = finish

    async def finish(self) -> None:
        """Send the end of an answer; an answer that an error broke off has none."""
        if self._finish is not None and not self.client_is_gone:
            await self._finish()

    async def _stream(self, headers: dict[str, str], packer: Compressor, answer: Answer) -> None:
        tag = secrets.token_hex(8)
        await self._start(200, {**headers, "X-ClickHouse-Exception-Tag": tag}, None)
        try:
            for block in answer.head:
                await self._body(await self._service.call(packer.add, block))
            while (packed := await self._service.call(_next, answer, packer)) is not None:
                if self.client_is_gone:
                    return
                await self._body(packed)
        except QueryError as error:
            answer.error = error
            # No last chunk follows, so that a client notices which ignores the text.
            await self._body(packer.add(_exception_block(self._versioned(error), tag)))
            return

        self._finish = lambda: self._body(packer.end(), last=True)

    def _compression(self, query: Query) -> tuple[str | None, Compressor]:
        enabled = query.settings.get("enable_http_compression", self._service.compresses)
        encoding, packer = choose(query.encoding if enabled in ("1", "true") else "")
        return encoding, Both(self._blocks, packer)

    def _headers(self, content_type: str, fmt: str | None = None) -> dict[str, str]:
        """The headers of every response. Clients recognize a statement without an answer by the
        missing format."""
        headers = {
            "Content-Type": content_type,
            "X-ClickHouse-Server-Display-Name": _NAME,
            "X-ClickHouse-Query-Id": self.query_id,
            "X-ClickHouse-Timezone": "UTC",
        }
        return headers | {"X-ClickHouse-Format": fmt} if fmt else headers

    def _versioned(self, error: QueryError) -> str:
        if "(version " in error.text:
            return error.text
        return f"{error.text} (version {self._service.version})"

    async def _start(self, status: int, headers: dict[str, str], length: int | None) -> None:
        self._begun = True
        pairs = [
            (name.encode(), CONTROL.sub("?", text).encode("latin-1", "replace"))
            for name, text in headers.items()
        ]
        if length is not None:
            pairs.append((b"Content-Length", str(length).encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})

    async def _body(self, body: bytes, *, last: bool = False) -> None:
        # Set first: uvicorn reports a disconnect as soon as the response is complete.
        self.complete = self.complete or last
        await self._send({"type": "http.response.body", "body": body, "more_body": not last})


def _pack(packer: Compressor, body: bytes) -> bytes:
    return packer.add(body) + packer.end()


def _next(answer: Answer, packer: Compressor) -> bytes | None:
    """The next block, packed; None after the last one."""
    assert answer.rest is not None
    block = next(answer.rest, None)
    return None if block is None else packer.add(block)


def _summary(totals: Totals) -> str:
    counts = {name: str(count) for name, count in asdict(totals).items()}
    return json.dumps({**counts, "total_rows_to_read": counts["read_rows"]}, separators=(",", ":"))


def _exception_block(text: str, tag: str) -> bytes:
    """The block that a server (25.11 and later) writes into a body that an error breaks off."""
    message = f"{text}\n".encode(errors="replace")
    mark = b"__exception__"
    name = tag.encode()
    size = str(len(message)).encode()
    return b"\r\n".join((b"", mark, name, message + size + b" " + name, mark, b""))
