"""Steps over the columns of Native blocks, by their types: nothing else says how long one is."""

from collections.abc import Callable, Iterable, Sequence

from clickhouse_connect.datatypes import dynamic, geometric
from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.container import Array, Map, Nested, Tuple
from clickhouse_connect.datatypes.special import SimpleAggregateFunction
from clickhouse_connect.datatypes.string import String

from lib.clickhouse_errors import Code
from lib.clickhouse_types import parse
from local.clickhouse.errors import refusal

# The others are subclasses of these.
_GEOMETRIC = {
    geometric.Point: "Tuple(Float64, Float64)",
    geometric.Ring: "Array(Point)",
    geometric.Polygon: "Array(Ring)",
    geometric.MultiPolygon: "Array(Polygon)",
}
_SHARED_DATA = "Array(Tuple(String, String))"
_SHARED_VARIANT = "SharedVariant"
Skip = Callable[[int], None]


class Cursor:
    """A position in blocks that the engine wrote."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def size(self) -> int:
        """Read a number of seven bits a byte."""
        size, shift = 0, 0
        while True:
            byte = self._data[self.at]
            self.at += 1
            size |= (byte & 127) << shift
            if byte < 128:
                return size
            shift += 7

    def text(self) -> str:
        """Read a text behind its size."""
        size = self.size()
        self.at += size
        return self._data[self.at - size : self.at].decode(errors="replace")

    def column(self, name: str, rows: int) -> None:
        """Step over the data of a column of this type; raise QueryError where that cannot be."""
        if rows:
            self._prefix(_type(name))(rows)

    def _number(self) -> int:
        self.at += 8
        return int.from_bytes(self._data[self.at - 8 : self.at], "little")

    def _prefix(self, kind: ClickHouseType) -> Skip:
        """Step over what precedes a column's data; the answer steps over the data of its rows."""
        if kind.low_card:
            self.at += 8
            values = self._values(kind)
            return lambda rows: self._dictionary(values, rows)
        values = self._values(kind)
        if "Nullable" not in kind.wrappers:
            return values

        def nullable(rows: int) -> None:
            self.at += rows
            values(rows)

        return nullable

    def _values(self, kind: ClickHouseType) -> Skip:
        match kind:
            case String():
                return self._strings
            case Array():
                return self._array([kind.element_type])
            case Map():
                return self._array([kind.key_type, kind.value_type])
            case Nested():
                return self._prefix(kind.tuple_array)
            case Tuple() if kind.element_types:
                return self._all(kind.element_types)
            case Tuple():
                return self._fixed(1)
            case SimpleAggregateFunction():
                return self._prefix(kind.element_type)
            case dynamic.Variant():
                return self._variant(kind.element_types)
            case dynamic.Dynamic():
                return self._dynamic()
            case dynamic.JSON():
                return self._json(kind.typed_types)
        for geometry, name in _GEOMETRIC.items():
            if isinstance(kind, geometry):
                return self._prefix(_type(name))
        if not kind.byte_size:
            raise _unsupported(kind.name)
        return self._fixed(kind.byte_size)

    def _fixed(self, size: int) -> Skip:
        def fixed(rows: int) -> None:
            self.at += rows * size

        return fixed

    def _strings(self, rows: int) -> None:
        data, at = self._data, self.at
        for _ in range(rows):
            size = data[at]
            at += 1
            if size > 127:
                self.at = at - 1
                size = self.size()
                at = self.at
            at += size
        self.at = at

    def _all(self, kinds: Iterable[ClickHouseType]) -> Skip:
        parts = [self._prefix(kind) for kind in kinds]

        def together(rows: int) -> None:
            for part in parts:
                part(rows)

        return together

    def _array(self, kinds: Sequence[ClickHouseType]) -> Skip:
        elements = self._all(kinds)

        def rows_of_elements(rows: int) -> None:
            self.at += 8 * (rows - 1) if rows else 0
            elements(self._number() if rows else 0)

        return rows_of_elements

    def _dictionary(self, values: Skip, rows: int) -> None:
        if rows:
            size_of_key = 1 << (self._number() & 255)
            values(self._number())
            keys = self._number()
            self.at += keys * size_of_key

    def _variant(self, kinds: Sequence[ClickHouseType]) -> Skip:
        self.at += 8
        parts = [self._prefix(kind) for kind in kinds]

        def chosen(rows: int) -> None:
            marks = self._data[self.at : self.at + rows]
            self.at += rows
            for number, part in enumerate(parts):
                part(marks.count(number))

        return chosen

    def _dynamic(self) -> Skip:
        names = self._names()
        kinds = [_type(name) for name in (*names, _SHARED_VARIANT)]
        return self._variant(sorted(kinds, key=lambda kind: kind.name))

    def _json(self, typed: Sequence[ClickHouseType]) -> Skip:
        paths = self._names()
        parts = [self._prefix(kind) for kind in typed]
        parts += [self._dynamic() for _ in paths]
        parts.append(self._prefix(_type(_SHARED_DATA)))

        def together(rows: int) -> None:
            for part in parts:
                part(rows)

        return together

    def _names(self) -> list[str]:
        """The types of a Dynamic or the paths of a JSON; the structure's version and a limit come
        first. The old structure, which is version 0's, says so, and every client reads it."""
        self._number()
        self.size()
        return [self.text() for _ in range(self.size())]


def _type(name: str) -> ClickHouseType:
    try:
        return parse(name)
    except ValueError:
        raise _unsupported(name) from None


def _unsupported(name: str) -> Exception:
    return refusal(
        Code.NOT_IMPLEMENTED,
        f"The embedded server cannot give {name} in Native with client_protocol_version; "
        "ask for another format, or finish the aggregation",
    )
