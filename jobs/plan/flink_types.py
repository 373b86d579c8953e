"""Flink's types in a compiled plan, and the Arrow types in which PyFlink passes their values."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
from pyflink.java_gateway import get_gateway
from pyflink.table import types
from pyflink.table.types import DataType

# A plan writes the type of a time attribute as an object, under these names.
_TIMES = {
    "TIMESTAMP_WITHOUT_TIME_ZONE": "TIMESTAMP",
    "TIMESTAMP_WITH_LOCAL_TIME_ZONE": "TIMESTAMP_LTZ",
}


def arrow(written: str | Mapping[str, Any]) -> pa.DataType:
    """The Arrow type of a type's values; raise ValueError for one that PyFlink does not pass."""
    text = shown(written)
    if text.split(" ")[0] == "NULL":
        return pa.null()
    try:
        parsed = _parse(text)
        arrow = types.to_arrow_type(parsed)
    except Exception as error:
        raise ValueError("PyFlink does not hand it over") from error
    # PyFlink writes maps, but Arrow cannot read them in a batch of more than one row.
    if any(isinstance(part, types.MapType) for part in (parsed, *_inside(parsed))):
        raise ValueError("PyFlink does not hand it over")
    return arrow


def shown(written: str | Mapping[str, Any]) -> str:
    """The type as SQL writes it."""
    if isinstance(written, str):
        return written.replace("VARCHAR(2147483647)", "STRING").replace(
            "VARBINARY(2147483647)", "BYTES"
        )
    kind = str(written["type"])
    return f"{_TIMES.get(kind, kind)}({written.get('precision', 0)})"


def _parse(text: str) -> DataType:
    jvm = get_gateway().jvm
    loader = jvm.Thread.currentThread().getContextClassLoader()
    logical = jvm.org.apache.flink.table.types.logical.utils.LogicalTypeParser.parse(text, loader)
    conversions = jvm.org.apache.flink.table.types.utils.TypeConversions
    return types._from_java_data_type(conversions.fromLogicalToDataType(logical))


def _inside(outer: DataType) -> Iterator[DataType]:
    """The types within a type, at any depth."""
    for name in ("element_type", "key_type", "value_type"):
        if part := getattr(outer, name, None):
            yield part
            yield from _inside(part)
    for field in getattr(outer, "fields", ()):
        yield field.data_type
        yield from _inside(field.data_type)
