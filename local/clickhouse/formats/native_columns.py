"""The sizes of columns in Native blocks, which only their types determine."""

from collections.abc import Callable, Iterable, Sequence

from clickhouse_connect.datatypes import dynamic, geometric
from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.container import Array, Map, Nested, Tuple
from clickhouse_connect.datatypes.special import SimpleAggregateFunction
from clickhouse_connect.datatypes.string import String

from lib.clickhouse_errors import Code
from lib.clickhouse_types import parse
from local.clickhouse.errors import refusal
from local.clickhouse.formats.native_cursor import Cursor

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


class Columns:
    """The columns at a cursor, which steps over them."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def skip(self, name: str, rows: int) -> None:
        """Step over the data of a column of this type; raise QueryError for an unknown size."""
        if rows:
            self._prefix(_type(name))(rows)

    def _prefix(self, kind: ClickHouseType) -> Skip:
        """Step over the prefix of a column; return the function that steps over its rows."""
        if kind.low_card:
            self._cursor.at += 8
            values = self._values(kind)
            return lambda rows: self._dictionary(values, rows)
        values = self._values(kind)
        if "Nullable" not in kind.wrappers:
            return values

        def nullable(rows: int) -> None:
            self._cursor.at += rows
            values(rows)

        return nullable

    def _values(self, kind: ClickHouseType) -> Skip:
        match kind:
            case String():
                return self._cursor.skip_texts
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
            self._cursor.at += rows * size

        return fixed

    def _all(self, kinds: Iterable[ClickHouseType]) -> Skip:
        return _in_order([self._prefix(kind) for kind in kinds])

    def _array(self, kinds: Sequence[ClickHouseType]) -> Skip:
        elements = self._all(kinds)

        def rows_of_elements(rows: int) -> None:
            self._cursor.at += 8 * (rows - 1) if rows else 0
            elements(self._cursor.number() if rows else 0)

        return rows_of_elements

    def _dictionary(self, values: Skip, rows: int) -> None:
        if rows:
            size_of_key = 1 << (self._cursor.number() & 255)
            values(self._cursor.number())
            keys = self._cursor.number()
            self._cursor.at += keys * size_of_key

    def _variant(self, kinds: Sequence[ClickHouseType]) -> Skip:
        self._cursor.at += 8
        parts = [self._prefix(kind) for kind in kinds]

        def chosen(rows: int) -> None:
            marks = self._cursor.data[self._cursor.at : self._cursor.at + rows]
            self._cursor.at += rows
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
        return _in_order(parts)

    def _names(self) -> list[str]:
        """The types of a Dynamic or the paths of a JSON, after the structure's version and a limit.
        Every client reads the old structure, which is version 0's."""
        self._cursor.number()
        self._cursor.size()
        return [self._cursor.text() for _ in range(self._cursor.size())]


def _in_order(parts: Sequence[Skip]) -> Skip:
    def skip(rows: int) -> None:
        for part in parts:
            part(rows)

    return skip


def _type(name: str) -> ClickHouseType:
    try:
        return parse(name)
    except ValueError:
        raise _unsupported(name) from None


def _unsupported(name: str) -> Exception:
    return refusal(
        Code.NOT_IMPLEMENTED,
        f"The embedded server cannot write {name} in Native with client_protocol_version; "
        "ask for another format, or finish the aggregation",
    )
