"""Native blocks for a client that states its protocol version (client_protocol_version).

chDB always writes version 0, which has no block info, no mark of a column's serialization and no
time zone in a DateTime. The places where a later version has more lie between the columns, so
each column's data is stepped over, by its type.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence

from clickhouse_connect.datatypes import dynamic, geometric
from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.container import Array, Map, Nested, Tuple
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.datatypes.special import SimpleAggregateFunction
from clickhouse_connect.datatypes.string import String
from clickhouse_connect.driver.exceptions import InternalError

from lib.clickhouse_errors import Code
from local.clickhouse.errors import refusal

# The versions at which ClickHouse changed the format, by its own constants' names.
TIME_ZONE_IN_DATETIME = 54337
CUSTOM_SERIALIZATION = 54454

# Field 1: the block is not an overflow; field 2: it has no bucket; 0: the end of the fields.
_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
_GEOMETRIC = {
    geometric.Point: "Tuple(Float64, Float64)",
    geometric.Ring: "Array(Point)",
    geometric.Polygon: "Array(Ring)",
    geometric.MultiPolygon: "Array(Polygon)",
}
_SHARED_DATA = "Array(Tuple(String, String))"
_SHARED_VARIANT = "SharedVariant"
Skip = Callable[[int], None]


def reframed(data: bytes, version: int, types: Sequence[str]) -> bytes:
    """Blocks of version 0 as a client of this version reads them; `types` as DESCRIBE has them."""
    return _Blocks(data, version, types).rewrite()


class _Blocks:
    """A position in blocks of version 0, and what has been made of them up to there."""

    def __init__(self, data: bytes, version: int, types: Sequence[str]) -> None:
        self._data = data
        self._version = version
        self._types = types
        self._at = 0
        self._copied = 0
        self._made: list[bytes] = []

    def rewrite(self) -> bytes:
        while self._at < len(self._data):
            self._put(_BLOCK_INFO)
            columns, rows = self._size(), self._size()
            for number in range(columns):
                self._column(number, rows)
        self._put(b"")
        return b"".join(self._made)

    def _column(self, number: int, rows: int) -> None:
        self._text()
        begin = self._at
        name = self._text()
        if name == "DateTime" and self._types and self._version >= TIME_ZONE_IN_DATETIME:
            text = self._types[number].encode()
            self._put(_packed(len(text)) + text, since=begin)
        if self._version >= CUSTOM_SERIALIZATION:
            self._put(b"\x00")
        if rows:
            self._prefix(_type(name))(rows)

    def _put(self, text: bytes, since: int | None = None) -> None:
        """Copy what lies before here, or before `since`, and write a text in place of the rest."""
        self._made += [self._data[self._copied : self._at if since is None else since], text]
        self._copied = self._at

    def _size(self) -> int:
        """A number of seven bits a byte."""
        size, shift = 0, 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            size |= (byte & 127) << shift
            if byte < 128:
                return size
            shift += 7

    def _text(self) -> str:
        size = self._size()
        self._at += size
        return self._data[self._at - size : self._at].decode(errors="replace")

    def _number(self) -> int:
        self._at += 8
        return int.from_bytes(self._data[self._at - 8 : self._at], "little")

    def _prefix(self, kind: ClickHouseType) -> Skip:
        """Step over what precedes a column's data; the answer steps over the data of its rows."""
        if kind.low_card:
            self._at += 8
            values = self._values(kind)
            return lambda rows: self._dictionary(values, rows)
        values = self._values(kind)
        if "Nullable" not in kind.wrappers:
            return values

        def nullable(rows: int) -> None:
            self._at += rows
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
            self._at += rows * size

        return fixed

    def _strings(self, rows: int) -> None:
        data, at = self._data, self._at
        for _ in range(rows):
            size = data[at]
            at += 1
            if size > 127:
                self._at = at - 1
                size = self._size()
                at = self._at
            at += size
        self._at = at

    def _all(self, kinds: Iterable[ClickHouseType]) -> Skip:
        parts = [self._prefix(kind) for kind in kinds]

        def together(rows: int) -> None:
            for part in parts:
                part(rows)

        return together

    def _array(self, kinds: Sequence[ClickHouseType]) -> Skip:
        elements = self._all(kinds)

        def rows_of_elements(rows: int) -> None:
            self._at += 8 * (rows - 1) if rows else 0
            elements(self._number() if rows else 0)

        return rows_of_elements

    def _dictionary(self, values: Skip, rows: int) -> None:
        if rows:
            size_of_key = 1 << (self._number() & 255)
            values(self._number())
            keys = self._number()
            self._at += keys * size_of_key

    def _variant(self, kinds: Sequence[ClickHouseType]) -> Skip:
        self._at += 8
        parts = [self._prefix(kind) for kind in kinds]

        def chosen(rows: int) -> None:
            marks = self._data[self._at : self._at + rows]
            self._at += rows
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
        self._size()
        return [self._text() for _ in range(self._size())]


def _packed(size: int) -> bytes:
    packed = array("B")
    while size > 127:
        packed.append(size & 127 | 128)
        size >>= 7
    packed.append(size)
    return packed.tobytes()


def _type(name: str) -> ClickHouseType:
    try:
        return get_from_name(name)
    except InternalError:
        raise _unsupported(name) from None


def _unsupported(name: str) -> Exception:
    return refusal(
        Code.NOT_IMPLEMENTED,
        f"The embedded server cannot give {name} in Native with client_protocol_version; "
        "ask for another format, or finish the aggregation",
    )
