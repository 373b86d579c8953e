"""Responses: rows in ClickHouse's bytes, wrapped for JSON, buffered if short and else streamed."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from hashlib import blake2b

import aiohttp
import msgspec

from api.contract import cursors
from api.problems import ProblemError
from api.query.clickhouse import ClickHouseClient, late_error, translated_errors
from api.query.registry import Query
from api.query.request import QueryRequest

# Responses up to this size are buffered, and have a length and an ETag; longer ones are streamed.
MAX_BUFFERED = 1024 * 1024


class TruncatedError(Exception):
    """ClickHouse became unavailable during a response; the client misses the final chunk."""


@dataclass(frozen=True, slots=True)
class BufferedResponse:
    """A complete response."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class StreamedResponse:
    """The beginning of a response, and the source of the rest."""

    head: bytes
    rest: aiohttp.ClientResponse


async def run(
    client: ClickHouseClient, request: QueryRequest, head: bytes = b""
) -> bytes | StreamedResponse:
    """Run a query; return all its rows after `head`, or the first ones if there are many."""
    response = await client.start(request.sql, dict(request.bound), request.format.clickhouse)
    chunks, size = [head], 0
    try:
        with translated_errors():
            async for chunk in response.content.iter_any():
                chunks.append(chunk)
                size += len(chunk)
                if size > MAX_BUFFERED:
                    return StreamedResponse(b"".join(chunks), response)
    except ProblemError as problem:
        response.close()
        raise late_error(b"".join(chunks)) or problem from None
    response.release()
    return b"".join(chunks)


async def chunks(response: StreamedResponse) -> AsyncGenerator[bytes, None]:
    """The bytes as they arrive; closing the generator cancels the query."""
    try:
        yield response.head
        async for chunk in response.rest.content.iter_any():
            yield chunk
    except (aiohttp.ClientError, OSError) as error:
        raise TruncatedError from error
    finally:
        response.rest.close()


def wrap(rows: bytes, limit: int | None, query: Query) -> bytes:
    """Lines of JSON as {"data": [...], "next": ...}; a line beyond the limit only shows that there
    is a next page."""
    lines = rows.rstrip(b"\n")
    cursor = None
    if limit is not None and lines.count(b"\n") == limit:
        lines = lines[: lines.rindex(b"\n")]
        cursor = _cursor(lines[lines.rfind(b"\n") + 1 :], query)
    return b'{"data":[%b],"next":%b}' % (
        lines.replace(b"\n", b",\n"),
        msgspec.json.encode(cursor),
    )


def _cursor(line: bytes, query: Query) -> str:
    row = json.loads(line.decode(errors="surrogateescape"))
    return cursors.encode(query.endpoint.name, query.endpoint.keys, row)


async def wrap_chunks(
    source: AsyncGenerator[bytes, None], limit: int | None, query: Query
) -> AsyncGenerator[bytes, None]:
    """The same for rows that are still arriving: at most two lines are held back."""
    yield b'{"data":['
    count, held, has_begun = 0, b"", False
    async for chunk in source:
        held += chunk
        # The last complete line waits: it may be beyond the limit, or the row of the cursor.
        end = held.rfind(b"\n", 0, held.rfind(b"\n"))
        end = held.rfind(b"\n", 0, end) if end > 0 else -1
        if end > 0:
            ready, held = held[:end], held[end + 1 :]
            count += ready.count(b"\n") + 1
            yield (b",\n" if has_begun else b"") + ready.replace(b"\n", b",\n")
            has_begun = True
    tail = wrap(held, None if limit is None else limit - count, query)
    yield (b",\n" if has_begun and held.strip() else b"") + tail.removeprefix(b'{"data":[')


def etag(body: bytes) -> str:
    """A strong ETag: equal bytes have equal tags."""
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def csv_header(query: Query) -> bytes:
    """The names of the columns, quoted as ClickHouse quotes text."""
    names = (name.replace('"', '""') for name in query.columns)
    return ",".join(f'"{name}"' for name in names).encode() + b"\n"
