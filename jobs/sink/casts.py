"""Exact casts of Arrow arrays to the types of ClickHouse columns.

A value that Arrow or ClickHouse would round, wrap, clip, cut or default raises ArrowException."""

from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.sink import json_casts, text_casts
from jobs.targets import types
from jobs.targets.types import Column

Array: TypeAlias = pa.ChunkedArray | pa.Array

# The ranges of ClickHouse's dates, first and one past the last, in days since 1970. It wraps or
# clips other values without an error, as it does for types.SECONDS.
_DAYS = {"Date": (0, 65_536), "Date32": (-25_567, 120_530)}

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def cast(column: Column, array: Array) -> Array:
    """The array in the column's type; raise ArrowException for a value that does not fit."""
    types.check(column, array.type)
    if array.null_count and not column.is_nullable:
        raise pa.ArrowInvalid("the column takes no NULL")
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), column.arrow)
    if column.parts:
        return _cast_nested(column, _whole(array))
    if column.base in text_casts.BASES:
        return text_casts.cast(column, _whole(array))
    if column.base in types.SECONDS:
        return _cast_time(column, array)
    if column.base in ("Time", "Time64"):
        return _cast_time_of_day(column, array)
    return _cast_plain(column, array)


def _whole(array: Array) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _cast_plain(column: Column, array: Array) -> Array:
    if pa.types.is_integer(array.type) and pa.types.is_decimal(column.arrow):
        # Arrow requires room for every number of the type; here only for the ones in the array.
        array = array.cast(pa.decimal256(76, column.arrow.scale))
    exact = array.cast(column.arrow, safe=True)
    if _may_round(array.type, column.arrow):
        _check_round_trip(exact, array)
    elif column.base in _DAYS:
        first, end = _DAYS[column.base]
        _check_range(column, exact.cast(pa.int32()), first, end - 1)
    elif column.base == "FixedString":
        _check_size(exact, column.type.byte_size)
    if column.base == "BFloat16":
        _check_upper_half(exact)
    return exact


def _cast_nested(column: Column, array: pa.Array) -> pa.Array:
    """Lists, maps or rows, of which each value is cast as exactly as one of a column."""
    if types.family(array.type) == "text":
        return cast(column, json_casts.read(column, array))
    if column.base == "Tuple":
        return _cast_row(column, array)
    first, last = array.offsets[0].as_py(), array.offsets[-1].as_py()
    offsets = pc.subtract(array.offsets, first)
    inner = (array.values,) if column.base == "Array" else (array.keys, array.items)
    parts = [
        _whole(cast(part, values.slice(first, last - first)))
        for part, values in zip(column.parts, inner, strict=True)
    ]
    make = pa.ListArray if column.base == "Array" else pa.MapArray
    return make.from_arrays(offsets, *parts)


def _cast_row(column: Column, array: pa.Array) -> pa.Array:
    # The fields of a row that is NULL may have any values.
    is_valid = array.is_valid()
    kept = array.filter(is_valid) if array.null_count else array
    parts = [
        _whole(cast(part, values))
        for part, values in zip(column.parts, kept.flatten(), strict=True)
    ]
    rows = pa.StructArray.from_arrays(parts, names=[part.name for part in column.parts])
    return json_casts.spread(rows, is_valid) if array.null_count else rows


def _cast_time(column: Column, array: Array) -> Array:
    """Times to the column's precision, in UTC; a finer fraction than it holds is refused."""
    if types.family(array.type) == "text":
        array = array.cast(pa.timestamp(column.arrow.unit))
    exact = array.cast(column.arrow, safe=True)
    first, end = types.SECONDS[column.base]
    per_second = PER_SECOND[column.arrow.unit]
    ticks = exact.cast(pa.int64())
    _check_range(column, ticks, first * per_second, min(end * per_second, 2**63) - 1)
    _check_fraction(column, ticks, per_second)
    return exact


def _cast_time_of_day(column: Column, array: Array) -> Array:
    if types.family(array.type) == "text":
        array = text_casts.times_of_day(_whole(array))
    if column.base == "Time":
        return array.cast(pa.time32("s"), safe=True).cast(column.arrow)
    exact = array.cast(column.arrow, safe=True)
    width = pa.int32() if pa.types.is_time32(exact.type) else pa.int64()
    _check_fraction(column, exact.cast(width).cast(pa.int64()), PER_SECOND[column.arrow.unit])
    return exact


def _check_fraction(column: Column, ticks: Array, per_second: int) -> None:
    scale = getattr(column.type, "scale", 0)
    step = per_second // 10**scale
    if step > 1 and pc.any(pc.not_equal(pc.multiply(pc.divide(ticks, step), step), ticks)).as_py():
        raise pa.ArrowInvalid(f"a fraction of more than {scale} digits would be cut")


def _check_range(column: Column, array: Any, low: int, high: int) -> None:
    bounds = pc.min_max(array).as_py()
    if bounds["min"] is not None and not (low <= bounds["min"] and bounds["max"] <= high):
        raise pa.ArrowInvalid(f"beyond what {column.kind} can hold")


def _may_round(source: pa.DataType, target: pa.DataType) -> bool:
    """Whether Arrow's safe mode may round a value in this cast."""
    return (
        source != target
        and (pa.types.is_floating(source) or pa.types.is_floating(target))
        and not pa.types.is_integer(target)
    )


def _check_round_trip(exact: Any, array: Any) -> None:
    back = exact.cast(array.type, safe=False)
    same = pc.or_kleene(pc.equal(back, array), pc.not_equal(array, array))
    if pc.all(same).as_py() is False:
        raise pa.ArrowInvalid("it would be rounded")


def _check_upper_half(array: Array) -> None:
    """A BFloat16 is the upper half of a Float32; ClickHouse cuts the rest off."""
    bits = array.drop_null().to_numpy(zero_copy_only=False).view(np.uint32)
    if (bits & 0xFFFF).any():
        raise pa.ArrowInvalid("it would be rounded")


def _check_size(array: Any, size: int) -> None:
    longest = pc.max(pc.binary_length(array))
    if longest.is_valid and longest.as_py() > size:
        raise pa.ArrowInvalid(f"a text of {longest} bytes is too long")
