"""JSON and Dynamic columns in JSON rows: ClickHouse sends each as a text, here it is a value.

Which type a number in them has is only known row by row, so each whole number becomes a text, as
64-bit integers do. ClickHouse could not do it: a text that it parses again is another one, where it
looks like a time.
"""

import json
import re
from collections.abc import AsyncGenerator, Sequence

import msgspec

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[^,\]}]*', re.DOTALL)
_WHOLE = re.compile(rb"-?\d+")


def embedded(lines: bytes, names: Sequence[str]) -> bytes:
    """Lines of JSON in which these columns are texts of JSON, as values."""
    return b"".join(_embedded(line, names) for line in lines.splitlines(keepends=True))


async def embedded_pieces(
    source: AsyncGenerator[bytes, None], names: Sequence[str]
) -> AsyncGenerator[bytes, None]:
    """The same for rows that are still coming."""
    held = b""
    async for piece in source:
        ready, end, held = (held + piece).rpartition(b"\n")
        yield embedded(ready + end, names)
    yield embedded(held, names)


def _embedded(line: bytes, names: Sequence[str]) -> bytes:
    row = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    for name in names:
        # Not msgspec: a text of ClickHouse may hold bytes that are not UTF-8.
        text = json.loads(bytes(row[name]).decode(errors="surrogateescape"))
        if text is not None:
            value = text.encode(errors="surrogateescape")
            row[name] = msgspec.Raw(_TOKEN.sub(_quoted, value))
    return msgspec.json.encode(row) + (b"\n" if line.endswith(b"\n") else b"")


def _quoted(token: re.Match[bytes]) -> bytes:
    return b'"%b"' % token[0] if _WHOLE.fullmatch(token[0]) else token[0]
