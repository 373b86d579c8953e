"""ClickHouse's column types: the Arrow type that is sent for each, and what each takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from clickhouse_connect.datatypes.base import ClickHouseType

from lib import clickhouse_types
from lib.errors import JobError, one_line

# The Arrow type that ClickHouse reads unambiguously, and the families of values that convert to it
# unambiguously. A text is not a number, nor a number a time: SQL must name the conversion. Text is
# taken if Flink has no type for the value or loses some of it on the way here, and for times, which
# Arrow reads far faster than a CAST in Flink.
_NUMBER = frozenset({"number"})
_EXACT = frozenset({"number", "text"})
_TEXT = frozenset({"text"})
_BYTES = frozenset({"text", "bytes"})
_INTEGERS = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
_PLAIN: dict[str, tuple[pa.DataType, frozenset[str]]] = {
    "Bool": (pa.bool_(), frozenset({"bool"})),
    **{name: (pa.type_for_alias(name.lower()), _EXACT) for name in _INTEGERS},
    # As bytes: ClickHouse wraps a text that is too large for these.
    **dict.fromkeys(("Int128", "UInt128"), (pa.binary(16), _EXACT)),
    **dict.fromkeys(("Int256", "UInt256"), (pa.binary(32), _EXACT)),
    "BFloat16": (pa.float32(), _NUMBER),
    "Float32": (pa.float32(), _NUMBER),
    "Float64": (pa.float64(), _NUMBER),
    **dict.fromkeys(("Date", "Date32"), (pa.date32(), frozenset({"date"}))),
    "DateTime": (pa.timestamp("s", "UTC"), frozenset({"time", "date", "text"})),
    # In seconds: ClickHouse takes no time of day from Arrow for it.
    "Time": (pa.int32(), frozenset({"time of day", "text"})),
    **dict.fromkeys(("String", "FixedString"), (pa.binary(), _BYTES)),
    **dict.fromkeys(("Enum8", "Enum16"), (pa.string(), _TEXT)),
    # Not as bytes: ClickHouse reads those of a BYTES column as NULL.
    "UUID": (pa.string(), _BYTES),
    "IPv4": (pa.uint32(), _TEXT),
    "IPv6": (pa.binary(16), _BYTES),
}

# https://clickhouse.com/docs/sql-reference/data-types/geo
_GEOMETRY = {
    "Point": "Tuple(Float64, Float64)",
    "Ring": "Array(Point)",
    "LineString": "Array(Point)",
    "MultiPoint": "Array(Point)",
    "Polygon": "Array(Ring)",
    "MultiLineString": "Array(LineString)",
    "MultiPolygon": "Array(Polygon)",
}

# The ranges of ClickHouse's times, first and one past the last, in seconds since 1970.
# https://clickhouse.com/docs/sql-reference/data-types/datetime64
SECONDS = {"DateTime": (0, 2**32), "DateTime64": (-2_208_988_800, 10_413_792_000)}

# By the digits of a fraction of a second.
_UNITS = ("s", "ms", "ms", "ms", "us", "us", "us", "ns", "ns", "ns")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a ClickHouse table, or a part of one, and the Arrow type that is sent for it.

    `base` is the type's name without arguments, `parts` what an Array, Map or Tuple holds."""

    name: str
    kind: str
    type: Any
    base: str
    arrow: pa.DataType
    takes: frozenset[str]
    is_nullable: bool
    parts: "tuple[Column, ...]" = ()

    @property
    def milliseconds(self) -> int:
        """How many milliseconds the times that it can hold are apart, at least one."""
        return int(10 ** max(3 - getattr(self.type, "scale", 0), 0))


def column(name: str, kind: str) -> Column:
    """Parse a type of system.columns; raise JobError for one that cannot be inserted."""
    try:
        return _column(name, clickhouse_types.parse(kind))
    except ValueError as error:
        raise JobError(
            f"column {name} is {one_line(kind):.80}, which clickhouse_insert cannot fill; "
            "leave it to a DEFAULT or a materialized view."
        ) from error


def _column(name: str, parsed: ClickHouseType) -> Column:
    kind = clickhouse_types.plain(parsed)
    base = str(kind.base_type)
    if base in _GEOMETRY:
        return _column(name, clickhouse_types.parse(_GEOMETRY[base]))
    if base == "Nested":
        return _column(name, clickhouse_types.parse(f"Array(Tuple{kind.name[len(base) :]})"))
    parts = tuple(_parts(kind))
    arrow, takes = _nested(base, parts) if parts else _plain(kind, base)
    return Column(name, one_line(kind.name), kind, base, arrow, takes, kind.nullable, parts)


def _parts(kind: Any) -> Iterator[Column]:
    match kind.base_type:
        case "Array":
            yield _column("element", kind.element_type)
        case "Map":
            yield _column("key", kind.key_type)
            yield _column("value", kind.value_type)
        case "Tuple":
            # ClickHouse finds an element by its name: of unnamed ones that is the number.
            names = kind.element_names or range(1, len(kind.element_types) + 1)
            for name, part in zip(names, kind.element_types, strict=True):
                yield _column(str(name), part)


def _nested(base: str, parts: tuple[Column, ...]) -> tuple[pa.DataType, frozenset[str]]:
    if base == "Array":
        return pa.list_(parts[0].arrow), frozenset({"list", "text"})
    if base == "Map":
        return pa.map_(parts[0].arrow, parts[1].arrow), frozenset({"map", "text"})
    return pa.struct([(part.name, part.arrow) for part in parts]), frozenset({"row", "text"})


def _plain(kind: Any, base: str) -> tuple[pa.DataType, frozenset[str]]:
    match base:
        case "Decimal":
            make = pa.decimal128 if kind.prec <= 38 else pa.decimal256
            return make(kind.prec, kind.scale), _EXACT
        case "DateTime64":
            return pa.timestamp(_UNITS[kind.scale], tz="UTC"), _PLAIN["DateTime"][1]
        case "Time64":
            make = pa.time32 if kind.scale <= 3 else pa.time64
            return make(_UNITS[kind.scale]), _PLAIN["Time"][1]
    if base not in _PLAIN:
        raise ValueError(f"{kind.name} has no form in Arrow")
    return _PLAIN[base]


def schema(columns: Sequence[Column]) -> pa.Schema:
    """The schema of a batch for these columns."""
    return pa.schema([pa.field(c.name, c.arrow, nullable=c.is_nullable) for c in columns])


_FAMILIES = {
    "text": (pa.types.is_string, pa.types.is_large_string),
    "bytes": (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary),
    "bool": (pa.types.is_boolean,),
    "number": (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal),
    "time": (pa.types.is_timestamp,),
    "date": (pa.types.is_date,),
    "time of day": (pa.types.is_time,),
    "list": (pa.types.is_list,),
    "map": (pa.types.is_map,),
    "row": (pa.types.is_struct,),
    "null": (pa.types.is_null,),
}


def family(arrow: pa.DataType) -> str:
    """The kind of value that an Arrow type holds."""
    kinds = (kind for kind, tests in _FAMILIES.items() if any(test(arrow) for test in tests))
    return next(kinds, str(arrow))


def check(column: Column, arrow: pa.DataType) -> None:
    """Raise ArrowTypeError if no value of this type may become one of the column."""
    kind = family(arrow)
    if kind == "null":
        return
    if kind not in column.takes:
        raise pa.ArrowTypeError(f"it is {arrow}, not what the column holds")
    if kind == "list":
        check(column.parts[0], arrow.value_type)
    elif kind == "map":
        check(column.parts[0], arrow.key_type)
        check(column.parts[1], arrow.item_type)
    elif kind == "row":
        if arrow.num_fields != len(column.parts):
            raise pa.ArrowTypeError(f"it is {arrow}, not of {len(column.parts)} values")
        for part, field in zip(column.parts, arrow, strict=True):
            check(part, field.type)
