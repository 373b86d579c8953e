"""A client's position in a stream: the next offset of each source of rows.

`-- @stream kafka_offset by inserted_by, kafka_partition` promises that the offset of a row is above
those of all rows that its source stored before, so that one comparison finds the new rows.
`-- @event alert in stream` sends the rows of one stream in another, too, as events of that name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lib.errors import SqlFileError
from lib.quoting import quote_string

Position = dict[str, int]

# Events that every stream may send; `message` is what a browser calls one without a name.
RESERVED_EVENTS = ("message", "newest", "problem", "error", "open")

_EVENT = re.compile(r"(?P<name>[a-z][a-z0-9_]*)\s+in\s+(?P<stream>[a-z][a-z0-9_]*)")
_STREAM = re.compile(
    r"(?P<offset>[A-Za-z_]\w*)\s+by\s+(?P<sources>[A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*)"
    r"\s+key\s+(?P<key>[A-Za-z_]\w*)\s+as\s+(?P<filter>[A-Za-z]\w*)"
)


@dataclass(frozen=True, slots=True)
class Stream:
    """The columns of a row's source and offset; `key` is the column that the parameter `filter`
    selects by."""

    offset: str
    sources: tuple[str, ...]
    key: str
    filter: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the query must return."""
        return (self.offset, *self.sources, self.key)

    @property
    def source(self) -> str:
        """A row's source as SQL."""
        parts = ", ".join(f"toString(`{name}`)" for name in self.sources)
        return f"concatWithSeparator('/', {parts}, '')"

    def next_offset(self, name: str) -> str:
        """The next offset of a row's source in a position as SQL; 0 if the position has none."""
        # Not a Map, in which a lookup compares the sources one by one.
        arrays = f"{{{name}_sources:Array(String)}}, {{{name}_offsets:Array(Int64)}}"
        return f"transform({self.source}, {arrays}, toInt64(0))"

    def source_and_offset(self, row: Mapping[str, object]) -> tuple[str, int]:
        """A row's source, as ClickHouse would write it, and offset."""
        source = "/".join([*(str(row[name]) for name in self.sources), ""])
        return source, int(str(row[self.offset]))


@dataclass(frozen=True, slots=True)
class Event:
    """The rows of a stream that are also events of this name in another stream."""

    name: str
    stream: str


def read_event(place: str, text: str) -> Event:
    """The names of `@event name in stream`; raise SqlFileError."""
    match = _EVENT.fullmatch(text)
    # An event of a stream has a name of its own, by which clients tell it from the others.
    if not match or match["name"] in RESERVED_EVENTS:
        raise SqlFileError(
            f"{place}: @event {text}: not understood; write `-- @event name in stream`, with a "
            f"name other than {' and '.join(RESERVED_EVENTS)}."
        )
    return Event(match["name"], match["stream"])


def read(place: str, text: str) -> Stream:
    """The columns of `@stream offset by source, source key column as parameter`; raise
    SqlFileError."""
    match = _STREAM.fullmatch(text)
    if not match:
        raise SqlFileError(
            f"{place}: @stream {text}: not understood; "
            "write `-- @stream offset by source, source key column as parameter`."
        )
    sources = tuple(name.strip() for name in match["sources"].split(","))
    return Stream(match["offset"], sources, match["key"], match["filter"])


def bind(name: str, position: Position) -> dict[str, str]:
    """The query parameters that hold a position; Stream.next_offset reads them."""
    sources = ",".join(quote_string(source) for source in position)
    offsets = ",".join(str(offset) for offset in position.values())
    return {f"{name}_sources": f"[{sources}]", f"{name}_offsets": f"[{offsets}]"}
