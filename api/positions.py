"""Where a client stands in a stream: the next offset of each source that rows come from.

`-- @stream kafka_offset by inserted_by, kafka_partition` says that a row's offset is above those of
all rows that its source stored before, so that "not seen yet" is a comparison, and nothing else is.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from api.values import quoted
from lib.errors import SqlFileError

Position = dict[str, int]

_STREAM = re.compile(
    r"(?P<offset>[A-Za-z_]\w*)\s+by\s+(?P<sources>[A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*)"
    r"\s+key\s+(?P<key>[A-Za-z_]\w*)\s+as\s+(?P<filter>[A-Za-z]\w*)"
)


@dataclass(frozen=True, slots=True)
class Stream:
    """Which columns tell a row's place; `key` is what a row is about, `filter` the parameter that
    chooses among keys."""

    offset: str
    sources: tuple[str, ...]
    key: str
    filter: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the answer must have."""
        return (self.offset, *self.sources, self.key)

    @property
    def source(self) -> str:
        """A row's source as SQL."""
        parts = ", ".join(f"toString(`{name}`)" for name in self.sources)
        return f"concatWithSeparator('/', {parts}, '')"

    def place(self, row: Mapping[str, object]) -> tuple[str, int]:
        """A row's source and offset, as ClickHouse would write the first."""
        source = "/".join([*(str(row[name]) for name in self.sources), ""])
        return source, int(str(row[self.offset]))


def read(place: str, text: str) -> Stream:
    """The columns of `@stream offset by source, source key column as parameter`."""
    match = _STREAM.fullmatch(text)
    if not match:
        raise SqlFileError(
            f"{place}: @stream {text}: not understood; "
            "write `-- @stream offset by source, source key column as parameter`."
        )
    sources = tuple(name.strip() for name in match["sources"].split(","))
    return Stream(match["offset"], sources, match["key"], match["filter"])


def bound(position: Position) -> str:
    """A position as ClickHouse reads a Map from a query parameter."""
    return f"{{{','.join(f'{quoted(source)}:{n}' for source, n in position.items())}}}"


def encode(seconds: float, position: Position) -> str:
    """The id of an event: the time, which tells how far back to look, and the position."""
    return urlsafe_b64encode(msgspec.json.encode((int(seconds), position))).decode().rstrip("=")


def decode(identity: str) -> tuple[int, Position] | None:
    """What an id holds; None if it is none of ours."""
    try:
        text = urlsafe_b64decode(identity + "=" * (-len(identity) % 4))
        return msgspec.json.decode(text, type=tuple[int, Position])
    except (Base64Error, UnicodeError, ValueError, msgspec.DecodeError):
        return None
