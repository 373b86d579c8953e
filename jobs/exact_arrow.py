"""Lets a vectorized UDF reach the Arrow column that a pandas Series was made from.

PyFlink turns each Arrow batch into pandas Series, in which a BIGINT column with a NULL is float64:
2^53 + 1 is rounded before a UDF sees it. Here the Series stays as it is for every UDF and also carries
its column, so that the sink can take the exact values.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
from pyflink.fn_execution import coder_impl_slow

_KEY = "arrow"


def carry_arrow(to_pandas: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """Wrap PyFlink's conversion of Arrow batches so that each Series keeps its column."""

    @functools.wraps(to_pandas)
    def convert(timezone: Any, field_types: Any, batches: Sequence[pa.RecordBatch]) -> list[Any]:
        series = to_pandas(timezone, field_types, batches)
        for one, column in zip(series, pa.Table.from_batches(batches).itercolumns(), strict=True):
            one.attrs[_KEY] = _Column(column)
        return series

    convert.is_millrace = True  # type: ignore[attr-defined]
    return convert


class _Column:
    """A column that pandas may copy about with the Series' attributes at no cost."""

    __slots__ = ("column",)

    def __init__(self, column: pa.ChunkedArray) -> None:
        self.column = column

    def __deepcopy__(self, memo: object) -> "_Column":
        return self


def of(value: Any) -> Any:
    """The exact column that a Series was made from; anything else as it is."""
    carried = value.attrs.get(_KEY) if hasattr(value, "attrs") else None
    return carried.column if carried and len(carried.column) == len(value) else value


def install() -> None:
    """Do it once for this process; a second call changes nothing."""
    if not hasattr(coder_impl_slow.arrow_to_pandas, "is_millrace"):
        coder_impl_slow.arrow_to_pandas = carry_arrow(coder_impl_slow.arrow_to_pandas)
