"""Arrays, maps and tuples in JSON text: PyFlink does not transfer a ROW in an ARRAY or a ROW."""

import json
from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate, chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.targets.types import Column


class _Pairs(tuple[tuple[str, Any], ...]):
    """A JSON object; in a dict the second of two equal keys would replace the first."""


def read(column: Column, array: pa.Array) -> pa.Array:
    """The lists, maps or rows in these texts; raise ArrowInvalid for a text that has none."""
    try:
        return _build(column, [None if text is None else _load(text) for text in array.to_pylist()])
    except ValueError as error:
        raise pa.ArrowInvalid(str(error)) from error


def _load(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_Pairs)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _build(column: Column, values: Sequence[Any]) -> pa.Array:
    if not column.parts:
        return _leaves(column, values)
    if not column.is_nullable and None in values:
        raise ValueError("the column takes no NULL")
    if column.base == "Tuple":
        return _rows(column, values)
    kind, name = (list, "array") if column.base == "Array" else (_Pairs, "object")
    for value in values:
        if not isinstance(value, kind):
            raise ValueError(f"{column.kind} is not a JSON {name} there")
    offsets = pa.array([0, *accumulate(map(len, values))], pa.int32())
    inner = list(chain.from_iterable(values))
    if column.base == "Array":
        return pa.ListArray.from_arrays(offsets, _build(column.parts[0], inner))
    keys, items = ([pair[at] for pair in inner] for at in (0, 1))
    key, item = column.parts
    return pa.MapArray.from_arrays(offsets, _leaves(key, keys), _build(item, items))


def _rows(column: Column, values: Sequence[Any]) -> pa.Array:
    """Tuples from arrays, or from objects that have their names."""
    names = [part.name for part in column.parts]
    rows = [_row(names, value) for value in values if value is not None]
    parts = [_build(part, [row[at] for row in rows]) for at, part in enumerate(column.parts)]
    valid = pa.StructArray.from_arrays(parts, names=names)
    return spread(valid, pa.array([value is not None for value in values], pa.bool_()))


def spread(rows: pa.Array, is_valid: pa.Array) -> pa.Array:
    """The rows where `is_valid`, NULL elsewhere."""
    places = pc.subtract(pc.cumulative_sum(is_valid.cast(pa.int64())), 1)
    return rows.take(pc.if_else(is_valid, places, None))


def _row(names: Sequence[str], value: Any) -> Sequence[Any]:
    if isinstance(value, _Pairs):
        fields = dict(value)
        if len(fields) == len(value) and fields.keys() == set(names):
            return [fields[name] for name in names]
    elif isinstance(value, list) and len(value) == len(names):
        return value
    raise ValueError(f"not a JSON array of {len(names)} values or object of {', '.join(names)}")


def _leaves(column: Column, values: Sequence[Any]) -> pa.Array:
    """Values of one type as Flink would pass them, numbers as text, which is exact."""
    present = [value for value in values if value is not None]
    if "bool" in column.takes:
        _check(column, present, bool)
        return pa.array(values, pa.bool_())
    if "number" in column.takes:
        _check(column, present, int | Decimal | str if "text" in column.takes else int | Decimal)
        if "text" in column.takes:
            return pa.array([None if v is None else _number(v) for v in values], pa.string())
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    _check(column, present, str)
    texts = pa.array(values, pa.string())
    return texts.cast(pa.date32()) if column.takes == {"date"} else texts


def _number(value: int | Decimal | str) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _check(column: Column, values: Sequence[Any], kind: Any) -> None:
    for value in values:
        is_flag = isinstance(value, bool) and kind is not bool
        if is_flag or not isinstance(value, kind):
            raise ValueError(f"{column.kind} cannot take {json.dumps(str(value))} there")
