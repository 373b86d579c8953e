"""JSON and Dynamic columns in JSON rows: ClickHouse sends each as text, which is embedded here.

The types of the numbers in them differ from row to row, and ClickHouse writes a Float64 that is
whole as an integer: an integer becomes a string only if a browser would round it. ClickHouse cannot
do it: parsing a text again changes what looks like a time.
"""

import json
import re
from collections.abc import AsyncGenerator, Sequence

import msgspec

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[^,\]}]*', re.DOTALL)
_INTEGER = re.compile(rb"-?\d+")
# As JavaScript's Number.MAX_SAFE_INTEGER.
_MAX_SAFE_INTEGER = 2**53 - 1


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
            row[name] = msgspec.Raw(_TOKEN.sub(_quote_large_integer, value))
    return msgspec.json.encode(row) + (b"\n" if line.endswith(b"\n") else b"")


def _quote_large_integer(token: re.Match[bytes]) -> bytes:
    is_rounded = _INTEGER.fullmatch(token[0]) and abs(int(token[0])) > _MAX_SAFE_INTEGER
    return b'"%b"' % token[0] if is_rounded else token[0]
