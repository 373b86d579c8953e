"""The Kafka record that each row of a batch comes from."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.sink.batch import Batch
from jobs.sink.casts import PER_SECOND
from jobs.sink.columns import RefusedValueError, as_arrow, cast
from jobs.targets.dead_letters import FIRST, LAST
from jobs.targets.target import Target
from jobs.targets.types import Column
from lib.errors import SinkError

# The columns that identify a record, in the same types whatever those of the table are.
_SCHEMA = pa.schema(
    {
        "kafka_partition": pa.int32(),
        "kafka_offset": pa.int64(),
        "kafka_timestamp": pa.timestamp("ms", tz="UTC"),
    }
)


def read(target: Target, columns: Sequence[Column], values: Sequence[Any], rows: int) -> Batch:
    """The records of the rows, of which each column has a value; raise SinkError for a row without
    partition, offset or timestamp. A timestamp that no table holds is the nearest: with a table of
    dead letters, its record is one."""
    named = {column.name: (column, value) for column, value in zip(columns, values, strict=True)}
    if target.dead_letters:
        column, value = named["kafka_timestamp"]
        named["kafka_timestamp"] = column, _within(as_arrow(column, value, rows))
    try:
        arrays = [cast(*named[field.name], rows).cast(field.type, safe=False) for field in _SCHEMA]
    except RefusedValueError as error:
        raise SinkError(f"{target.table}: {error}") from error
    return Batch.of(pa.table(arrays, schema=_SCHEMA))


def _within(times: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Times within what ClickHouse holds; other values unchanged."""
    if not pa.types.is_timestamp(times.type):
        return times
    per_second = PER_SECOND[times.type.unit]
    low, high = (min(end * per_second // 1000, 2**63 - 1) for end in (FIRST, LAST))
    ticks = pc.max_element_wise(times.cast(pa.int64()), low, skip_nulls=False)
    return pc.min_element_wise(ticks, high, skip_nulls=False).cast(times.type)


def of(batch: Batch) -> Batch:
    """The records of rows in the types of their table."""
    return Batch.of(batch.table.select(_SCHEMA.names).cast(_SCHEMA))


def place(records: Batch, row: int) -> str:
    """The record of a row, as an error begins with it."""
    return f"partition {records.partitions[row]}, offset {records.offsets[row]}: "
