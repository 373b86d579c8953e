"""Gives a vectorized UDF the Arrow column that a pandas Series was made from.

PyFlink turns each Arrow batch into pandas Series, in which a BIGINT column with a NULL is float64:
2^53 + 1 is rounded before a UDF gets it. Here the Series stays unchanged for every UDF and also
carries its column, so that the sink has the exact values.
"""

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
from pyflink.fn_execution import coder_impl_slow, coders

_KEY = "arrow"

# PyFlink decodes in Python or, if its extension loads, in Cython: `coders` has the one in use.
_DECODERS = (coder_impl_slow, coders.coder_impl)


def carry_arrow(to_pandas: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """Wrap PyFlink's conversion of Arrow batches so that each Series keeps its column."""

    @functools.wraps(to_pandas)
    def convert(timezone: Any, field_types: Any, batches: Sequence[pa.RecordBatch]) -> list[Any]:
        series = to_pandas(timezone, field_types, batches)
        for one, column in zip(series, pa.Table.from_batches(batches).itercolumns(), strict=True):
            # A TIMESTAMP_LTZ arrives as wall time without its zone; the Series knows the instant.
            if not hasattr(getattr(one, "dtype", None), "tz"):
                one.attrs[_KEY] = _Column(one, column)
        return series

    convert.is_millrace = True  # type: ignore[attr-defined]
    return convert


class _Column:
    """The column of one Series. Pandas copies it, with the attributes, to every Series that is
    computed from this one and has other values."""

    __slots__ = ("column", "series")

    def __init__(self, series: pd.Series | pd.DataFrame, column: pa.ChunkedArray) -> None:
        self.series = weakref.ref(series)
        self.column = column

    def __deepcopy__(self, memo: object) -> "_Column":
        return self


def of(value: Any) -> Any:
    """The exact column that a Series or, for a ROW, a DataFrame was made from; other values
    unchanged."""
    carried = value.attrs.get(_KEY) if isinstance(value, pd.Series | pd.DataFrame) else None
    return carried.column if carried and carried.series() is value else value


def install() -> None:
    """Wrap PyFlink's decoders for this process; a second call changes nothing."""
    for decoder in _DECODERS:
        if not hasattr(decoder.arrow_to_pandas, "is_millrace"):
            decoder.arrow_to_pandas = carry_arrow(decoder.arrow_to_pandas)
