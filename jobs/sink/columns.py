"""Casts the values of a batch to ClickHouse's columns: exactly, or refused with the reason."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from jobs.sink import casts
from jobs.sink.batch import Batch, Bools
from jobs.targets import types
from jobs.targets.types import Column
from lib.errors import JobError, one_line


class RefusedValueError(JobError):
    """A value that the column cannot hold exactly; `row` is its row in the batch, if known."""

    def __init__(self, text: str, row: int | None) -> None:
        super().__init__(text)
        self.row = row


def cast(column: Column, values: Any, rows: int) -> pa.ChunkedArray | pa.Array:
    """Values (an Arrow column, a pandas Series or one constant) in exactly the column's type.

    Raise RefusedValueError for one that would have to be rounded, wrapped, clipped or defaulted."""
    array = None
    try:
        array = as_arrow(column, values, rows)
        return casts.cast(column, array)
    except (pa.ArrowException, OverflowError) as error:
        row = None if array is None else _first_bad(column, array)
        value = None if row is None or array is None else _value(array[row])
        raise _refused(column, value, _reason(column, array, row, error), row) from error


def batch(columns: Sequence[Column], values: Sequence[Any], rows: int) -> Batch:
    """The rows of these values, one for each column; raise RefusedValueError as `cast` does."""
    pairs = zip(columns, values, strict=True)
    arrays = [cast(column, value, rows) for column, value in pairs]
    return Batch.of(pa.table(arrays, schema=types.schema(columns)))


def refused_rows(columns: Sequence[Column], values: Sequence[Any], rows: int) -> dict[int, str]:
    """The rows of which a column cannot hold the value exactly, each with the reason."""
    pairs = zip(columns, values, strict=True)
    reasons = [_refused_values(column, value, rows) for column, value in pairs]
    # Of a row with several reasons the first column's.
    return {row: text for each in reversed(reasons) for row, text in each.items()}


def _refused_values(column: Column, values: Any, rows: int) -> dict[int, str]:
    if not isinstance(values, pa.ChunkedArray | pa.Array | pd.Series):
        error = _error(column, values, rows)
        return dict.fromkeys(range(rows), str(error)) if error else {}
    reasons: dict[int, str] = {}
    todo = [(0, rows)] if rows else []
    while todo:
        start, end = todo.pop()
        error = _error(column, values[start:end], end - start)
        if error and end - start == 1:
            reasons[start] = str(error)
        elif error:
            middle = (start + end) // 2
            todo += [(middle, end), (start, middle)]
    return reasons


def _error(column: Column, values: Any, rows: int) -> RefusedValueError | None:
    try:
        cast(column, values, rows)
    except RefusedValueError as error:
        return error
    return None


def filter_rows(values: Any, rows: Bools) -> Any:
    """The values of these rows only; a constant stays the same."""
    if isinstance(values, pa.ChunkedArray | pa.Array):
        return values.filter(pa.array(rows))
    return values[rows] if isinstance(values, pd.Series | pd.DataFrame) else values


def _reason(column: Column, array: Any, row: int | None, error: Exception) -> str:
    """Why the value in a row is refused: the error of the batch may be about another value."""
    try:
        if row is not None:
            casts.cast(column, array.slice(row, 1))
    except pa.ArrowException as of_row:
        error = of_row
    if "expected no zone offset" in str(error):
        return r"it has a zone; cut that off with REGEXP_REPLACE(text, '(Z|\+00:00)$', '')"
    return one_line(error).rstrip(".")


def as_arrow(column: Column, values: Any, rows: int) -> pa.ChunkedArray | pa.Array:
    if isinstance(values, pa.ChunkedArray | pa.Array):
        return values
    if not isinstance(values, pd.Series):
        return _constant(column, values, rows)
    if column.base.startswith(("Int", "UInt")) and values.dtype.kind == "f":
        return _from_floats(column, values)
    return pa.array(values, from_pandas=True)


def _constant(column: Column, value: Any, rows: int) -> pa.Array:
    if isinstance(value, datetime):
        raise pa.ArrowInvalid("PyFlink cuts a constant to milliseconds, so take it from a column")
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    # Otherwise Arrow infers the type from the value, Int64 for a whole number.
    known = is_whole and "number" in column.takes and pa.types.is_integer(column.arrow)
    return pa.array([value] * rows, type=column.arrow if known else None)


def _from_floats(column: Column, values: Any) -> pa.Array:
    """Whole numbers that pandas holds as float64, NaN for NULL: exact only below 2^53."""
    array = pa.array(values, from_pandas=True)
    if (values.abs() >= 2**53).any():
        raise _refused(
            column, values.abs().max(), "it may be rounded already; CAST AS STRING in SQL"
        )
    return array


def _first_bad(column: Column, array: pa.ChunkedArray | pa.Array) -> int | None:
    """The row of the first value that cannot be cast, by bisection."""
    start, size = 0, len(array)
    while size > 1:
        half = size // 2
        try:
            casts.cast(column, array.slice(start, half))
            start, size = start + half, size - half
        except pa.ArrowException:
            size = half
    return start if size else None


def _value(scalar: pa.Scalar) -> Any:
    """The value in Python; of a time that Python has no form for, the number."""
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return scalar.value


def _refused(column: Column, value: Any, why: str, row: int | None = None) -> RefusedValueError:
    shown = "" if value is None else f" cannot take {one_line(value):.80}:"
    return RefusedValueError(
        f"column {column.name} {column.kind}{shown or ':'} {why}; filter or CAST in the job's SQL.",
        row,
    )
