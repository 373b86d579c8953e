"""Answers: ClickHouse writes the rows' bytes; here they get an envelope, whole or as they come."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from hashlib import blake2b

import aiohttp
import msgspec

from api.contract import cursors
from api.problems import ProblemError
from api.query.clickhouse import explained, late_refusal
from api.query.registry import Query

# An answer up to this size is sent whole, with its length and an ETag; a longer one as it comes.
WHOLE = 1024 * 1024
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write rows: our name, ClickHouse's, and the media type."""

    name: str
    clickhouse: str
    media_type: str

    @property
    def as_text(self) -> bool:
        """Whether times and large numbers must be written for a reader without types."""
        return self.has_json_rows or self.name == "csv"

    @property
    def has_json_rows(self) -> bool:
        """Whether each line is a JSON object."""
        return self.clickhouse == "JSONEachRow"


FORMATS = {
    found.name: found
    for found in (
        Format("json", "JSONEachRow", JSON),
        Format("ndjson", "JSONEachRow", "application/x-ndjson"),
        Format("csv", "CSV", "text/csv"),
        Format("arrow", "ArrowStream", "application/vnd.apache.arrow.stream"),
        Format("parquet", "Parquet", "application/vnd.apache.parquet"),
    )
}


class BrokenOffError(Exception):
    """ClickHouse went away in the middle of an answer; the client sees that it has no end."""


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer that is all there."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Streamed:
    """The beginning of an answer, and where the rest comes from."""

    head: bytes
    response: aiohttp.ClientResponse


def enveloped(rows: bytes, limit: int | None, query: Query) -> bytes:
    """Lines of JSON as {"data": [...], "next": ...}; a line past the limit only says that there
    is one."""
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


def etag(body: bytes) -> str:
    """The same bytes, the same tag."""
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def csv_header(query: Query) -> bytes:
    """The names of the columns, quoted as ClickHouse quotes text."""
    names = (name.replace('"', '""') for name in query.columns)
    return ",".join(f'"{name}"' for name in names).encode() + b"\n"


async def start(response: aiohttp.ClientResponse, head: bytes = b"") -> bytes | Streamed:
    """Wait for the end of an answer, or for so much of it that it is better sent as it comes."""
    pieces, size = [head], 0
    try:
        with explained():
            async for piece in response.content.iter_any():
                pieces.append(piece)
                size += len(piece)
                if size > WHOLE:
                    return Streamed(b"".join(pieces), response)
    except ProblemError as problem:
        response.close()
        raise late_refusal(b"".join(pieces)) or problem from None
    response.release()
    return b"".join(pieces)


async def pieces(answer: Streamed) -> AsyncGenerator[bytes, None]:
    """The bytes as they come; leaving early ends the query."""
    try:
        yield answer.head
        async for piece in answer.response.content.iter_any():
            yield piece
    except (aiohttp.ClientError, OSError) as error:
        raise BrokenOffError from error
    finally:
        answer.response.close()


async def enveloped_pieces(
    source: AsyncGenerator[bytes, None], limit: int | None, query: Query
) -> AsyncGenerator[bytes, None]:
    """The same envelope around rows that are still coming: two lines at most are held back."""
    yield b'{"data":['
    count, held, began = 0, b"", False
    async for piece in source:
        held += piece
        # The last complete line waits: it may be the one past the limit, or name the cursor.
        end = held.rfind(b"\n", 0, held.rfind(b"\n"))
        end = held.rfind(b"\n", 0, end) if end > 0 else -1
        if end > 0:
            ready, held = held[:end], held[end + 1 :]
            count += ready.count(b"\n") + 1
            yield (b",\n" if began else b"") + ready.replace(b"\n", b",\n")
            began = True
    left = None if limit is None else limit - count
    tail = enveloped(held, left, query)
    yield (b",\n" if began and held.strip() else b"") + tail.removeprefix(b'{"data":[')
