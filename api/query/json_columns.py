"""JSON and Dynamic columns in JSON rows: ClickHouse sends each as text, which is embedded here.

The types of the numbers in them differ from row to row, so each integer becomes a string, as 64-bit
integers do. ClickHouse cannot do it: parsing a text again changes what looks like a time.
"""

import json
import re
from collections.abc import AsyncGenerator, Sequence

import msgspec

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[^,\]}]*', re.DOTALL)
_INTEGER = re.compile(rb"-?\d+")


def embed(lines: bytes, names: Sequence[str]) -> bytes:
    """Lines of JSON, the texts in these columns replaced by the values that they contain."""
    return b"".join(_embed(line, names) for line in lines.splitlines(keepends=True))


async def embed_chunks(
    source: AsyncGenerator[bytes, None], names: Sequence[str]
) -> AsyncGenerator[bytes, None]:
    """The same for rows that are still arriving."""
    held = b""
    async for chunk in source:
        ready, end, held = (held + chunk).rpartition(b"\n")
        yield embed(ready + end, names)
    yield embed(held, names)


def _embed(line: bytes, names: Sequence[str]) -> bytes:
    row = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    for name in names:
        # Not msgspec, which refuses bytes that are not UTF-8.
        text = json.loads(bytes(row[name]).decode(errors="surrogateescape"))
        if text is not None:
            value = text.encode(errors="surrogateescape")
            row[name] = msgspec.Raw(_TOKEN.sub(_quote_integer, value))
    return msgspec.json.encode(row) + (b"\n" if line.endswith(b"\n") else b"")


def _quote_integer(token: re.Match[bytes]) -> bytes:
    return b'"%b"' % token[0] if _INTEGER.fullmatch(token[0]) else token[0]
