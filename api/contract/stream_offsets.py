"""Where a client stands in a stream: the next offset of each source that rows come from.

`-- @stream kafka_offset by inserted_by, kafka_partition` says that a row's offset is above those of
all rows that its source stored before, so that "not seen yet" is a comparison, and nothing else is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lib.errors import SqlFileError
from lib.quoting import quote_string

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

    def next_in(self, name: str) -> str:
        """The next offset of a row's source in a position as SQL; 0 if the position has none."""
        # Not a Map, in which each row would be looked up among all sources one by one.
        given = f"{{{name}_sources:Array(String)}}, {{{name}_offsets:Array(Int64)}}"
        return f"transform({self.source}, {given}, toInt64(0))"

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


def params(name: str, position: Position) -> dict[str, str]:
    """The query parameters that hold a position; Stream.next_in reads them."""
    sources = ",".join(quote_string(source) for source in position)
    offsets = ",".join(str(offset) for offset in position.values())
    return {f"{name}_sources": f"[{sources}]", f"{name}_offsets": f"[{offsets}]"}
