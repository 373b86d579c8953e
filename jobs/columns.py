"""ClickHouse's column types, and casts to them that are exact or refused."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lib.errors import JobError, one_line

_WRAPPER = re.compile(r"(LowCardinality|SimpleAggregateFunction)\((?:\w+, )?(?P<inner>.+)\)")
_NULLABLE = re.compile(r"Nullable\((?P<inner>.+)\)")
_ARRAY = re.compile(r"Array\((?P<inner>.+)\)")
_DECIMAL = re.compile(r"Decimal\((?P<precision>\d+), (?P<scale>\d+)\)")
_DATETIME = re.compile(r"DateTime(?:64\((?P<scale>\d)(?:, '[^']+')?\)|(?:\('[^']+'\))?)")
_FIXED_STRING = re.compile(r"FixedString\((?P<size>\d+)\)")
_BYTES = re.compile(r"String|FixedString\(\d+\)")
_ENUM = re.compile(r"Enum(8|16)\(.+\)", re.DOTALL)

_PLAIN = {
    "Bool": pa.bool_(),
    "Int8": pa.int8(),
    "Int16": pa.int16(),
    "Int32": pa.int32(),
    "Int64": pa.int64(),
    "UInt8": pa.uint8(),
    "UInt16": pa.uint16(),
    "UInt32": pa.uint32(),
    "UInt64": pa.uint64(),
    "Float32": pa.float32(),
    "Float64": pa.float64(),
    "Date": pa.date32(),
    "Date32": pa.date32(),
}

# What ClickHouse's types can hold, first and one past the last: days or seconds since 1970.
# Beyond, it would wrap or clip without a word.
# https://clickhouse.com/docs/sql-reference/data-types/datetime64
_DAYS = {"Date": (0, 65_536), "Date32": (-25_567, 120_530)}
_DATETIME_SECONDS = (0, 2**32)
_DATETIME64_SECONDS = (-2_208_988_800, 10_413_792_000)

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


class ValueRefused(JobError):  # noqa: N818 - it is what happened, not a mistake of ours
    """A value that the column cannot hold exactly; `row` is its place in the batch, if known."""

    def __init__(self, text: str, row: int | None) -> None:
        super().__init__(text)
        self.row = row


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a ClickHouse table and the Arrow type that is sent for it."""

    name: str
    kind: str
    arrow: pa.DataType
    is_nullable: bool


def column(name: str, kind: str) -> Column:
    """Read a type as system.columns shows it; raise JobError for one that cannot be inserted."""
    inner = _unwrap(kind)
    nullable = _NULLABLE.fullmatch(inner)
    inner = nullable["inner"] if nullable else inner
    arrow = _arrow_type(inner)
    if arrow is None:
        raise JobError(
            f"clickhouse_insert: column {name} is {kind}, which it cannot fill; "
            "leave it to a DEFAULT or a materialized view."
        )
    return Column(name, inner, arrow, nullable is not None)


def cast(column: Column, values: Any, rows: int) -> pa.ChunkedArray | pa.Array:
    """Values (an Arrow column, a pandas Series or one constant) as exactly what the column holds.

    Raise ValueRefused for one that would have to be rounded, wrapped, clipped or defaulted."""
    array = None
    try:
        array = _as_arrow(column, values, rows)
        exact = _cast_exactly(column, array)
    except (pa.ArrowException, OverflowError) as error:
        row = None if array is None else _first_bad(column, array)
        value = None if row is None or array is None else array[row]
        raise _refused(column, value, one_line(error), row) from error
    if exact.null_count and not column.is_nullable:
        row = pc.index(pc.is_null(exact), True).as_py()
        raise _refused(column, None, "the column takes no NULL", row)
    return exact


def _unwrap(kind: str) -> str:
    while match := _WRAPPER.fullmatch(kind):
        kind = match["inner"]
    return kind


def _arrow_type(kind: str) -> pa.DataType | None:
    if kind in _PLAIN:
        return _PLAIN[kind]
    if _BYTES.fullmatch(kind):
        return pa.binary()
    if _ENUM.fullmatch(kind):
        return pa.string()
    if match := _DATETIME.fullmatch(kind):
        return pa.timestamp(_unit(int(match["scale"] or 0)), tz="UTC")
    if match := _DECIMAL.fullmatch(kind):
        precision, scale = int(match["precision"]), int(match["scale"])
        return (
            pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)
        )
    if match := _ARRAY.fullmatch(kind):
        return pa.list_(column("element", match["inner"]).arrow)
    return None


def _unit(scale: int) -> str:
    return ("s", "ms", "ms", "ms", "us", "us", "us", "ns", "ns", "ns")[scale]


def _as_arrow(column: Column, values: Any, rows: int) -> pa.ChunkedArray | pa.Array:
    if isinstance(values, pa.ChunkedArray | pa.Array):
        return values
    if not isinstance(values, pd.Series):
        return _constant(column, values, rows)
    if pa.types.is_integer(column.arrow) and values.dtype.kind == "f":
        return _from_floats(column, values)
    return pa.array(values, from_pandas=True)


def _constant(column: Column, value: Any, rows: int) -> pa.Array:
    if isinstance(value, datetime):
        raise pa.ArrowInvalid("PyFlink cuts a constant to milliseconds, so take it from a column")
    is_whole = isinstance(value, int) and pa.types.is_integer(column.arrow)
    # Else Arrow guesses from the value, and takes a whole number for an Int64.
    known = value is None or (is_whole and not isinstance(value, bool))
    return pa.array([value] * rows, type=column.arrow if known else None)


def _from_floats(column: Column, values: Any) -> pa.Array:
    """Whole numbers that pandas holds as float64, NaN for NULL: exact only below 2^53."""
    array = pa.array(values, from_pandas=True)
    if (values.abs() >= 2**53).any():
        raise _refused(
            column, values.abs().max(), "it may be rounded already; CAST AS STRING in SQL"
        )
    return array


def _cast_exactly(column: Column, array: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    if pa.types.is_null(array.type):
        return array.cast(column.arrow)
    _check_family(column, array.type)
    if pa.types.is_timestamp(column.arrow):
        return _cast_time(column, array)
    if pa.types.is_list(column.arrow):
        return _cast_list(column, array)
    if pa.types.is_integer(array.type) and pa.types.is_decimal(column.arrow):
        # Arrow asks for room for any number of the type; here only for those that came.
        array = array.cast(pa.decimal256(76, column.arrow.scale))
    exact = array.cast(column.arrow, safe=True)
    if _may_round(array.type, column.arrow):
        _check_round_trip(exact, array)
    elif column.kind in _DAYS:
        first, end = _DAYS[column.kind]
        _check_range(column, exact.cast(pa.int32()), first, end - 1)
    elif match := _FIXED_STRING.fullmatch(column.kind):
        _check_size(column, exact, int(match["size"]))
    return exact


def _check_family(column: Column, given: pa.DataType) -> None:
    """A text is not a number, nor a number a time: which conversion is meant, SQL must say.
    Exceptions are text for Int and Decimal, for values that pandas cannot hold exactly, and
    ISO 8601 text for times, which Arrow reads far faster than a CAST in Flink."""
    to = column.arrow
    pair = (_family(given), _family(to))
    is_text_for_number = pair[0] == "text" and (pa.types.is_integer(to) or pa.types.is_decimal(to))
    if len(set(pair)) == 2 and pair not in _WIDER and not is_text_for_number:
        raise pa.ArrowTypeError(f"it is {given}, not what the column holds")


# What one kind of value may become without a doubt about what is meant.
_WIDER = {("text", "bytes"), ("text", "time"), ("date", "time")}

_FAMILIES: Sequence[tuple[str, Callable[[pa.DataType], bool]]] = (
    ("text", pa.types.is_string),
    ("text", pa.types.is_large_string),
    ("bytes", pa.types.is_binary),
    ("bytes", pa.types.is_large_binary),
    ("bytes", pa.types.is_fixed_size_binary),
    ("number", pa.types.is_integer),
    ("number", pa.types.is_floating),
    ("number", pa.types.is_decimal),
    ("time", pa.types.is_timestamp),
    ("date", pa.types.is_date),
    ("list", pa.types.is_list),
)


def _family(kind: pa.DataType) -> str:
    return next((name for name, holds in _FAMILIES if holds(kind)), str(kind))


def _cast_list(outer: Column, array: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Each element as exactly as a value of a column."""
    match = _ARRAY.fullmatch(outer.kind)
    assert match
    lists = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if lists.null_count:
        raise pa.ArrowInvalid("the column takes no NULL")
    elements = cast(column(outer.name, match["inner"]), lists.flatten(), 0)
    ends = pc.cumulative_sum(pc.list_value_length(lists).cast(pa.int32()))
    return pa.ListArray.from_arrays(pa.concat_arrays([pa.array([0], pa.int32()), ends]), elements)


def _cast_time(column: Column, array: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Times to the column's precision, in UTC; a finer fraction than it holds is refused."""
    match = _DATETIME.fullmatch(column.kind)
    scale = match and match["scale"]
    if _family(array.type) == "text":
        array = array.cast(pa.timestamp(column.arrow.unit))
    exact = array.cast(column.arrow, safe=True)
    ticks = exact.cast(pa.int64())
    per_second = _PER_SECOND[column.arrow.unit]
    first, end = _DATETIME64_SECONDS if scale else _DATETIME_SECONDS
    _check_range(column, ticks, first * per_second, min(end * per_second, 2**63) - 1)
    step = per_second // 10 ** int(scale or 0)
    if step > 1 and pc.any(pc.not_equal(pc.multiply(pc.divide(ticks, step), step), ticks)).as_py():
        raise pa.ArrowInvalid(f"a fraction of more than {scale} digits would be cut")
    return exact


def _check_range(column: Column, array: Any, low: int, high: int) -> None:
    bounds = pc.min_max(array).as_py()
    if bounds["min"] is not None and not (low <= bounds["min"] and bounds["max"] <= high):
        raise pa.ArrowInvalid(f"beyond what {column.kind} can hold")


def _may_round(given: pa.DataType, taken: pa.DataType) -> bool:
    """Casts of which Arrow's safe mode lets a rounded value through."""
    return (
        given != taken
        and (pa.types.is_floating(given) or pa.types.is_floating(taken))
        and not (pa.types.is_null(given) or pa.types.is_integer(taken))
    )


def _check_round_trip(exact: Any, array: Any) -> None:
    back = exact.cast(array.type, safe=False)
    same = pc.or_kleene(pc.equal(back, array), pc.not_equal(array, array))
    if pc.all(same).as_py() is False:
        raise pa.ArrowInvalid("it would be rounded")


def _check_size(column: Column, array: Any, size: int) -> None:
    longest = pc.max(pc.binary_length(array))
    if longest.is_valid and longest.as_py() > size:
        raise pa.ArrowInvalid(f"a text of {longest} bytes is too long")


def _first_bad(column: Column, array: pa.ChunkedArray | pa.Array) -> int | None:
    """Where the first value stands that cannot be cast, found by halving."""
    start, size = 0, len(array)
    while size > 1:
        half = size // 2
        try:
            _cast_exactly(column, array.slice(start, half))
            start, size = start + half, size - half
        except pa.ArrowException:
            size = half
    return start if size else None


def _refused(column: Column, value: Any, why: str, row: int | None = None) -> ValueRefused:
    shown = "" if value is None else f" cannot take {one_line(value):.80}:"
    return ValueRefused(
        f"column {column.name} {column.kind}{shown or ':'} {why}; filter or CAST in the job's SQL.",
        row,
    )


def schema(columns: Sequence[Column]) -> pa.Schema:
    """What a batch for these columns looks like; types ClickHouse reads without a guess."""
    return pa.schema([pa.field(c.name, c.arrow, nullable=c.is_nullable) for c in columns])
