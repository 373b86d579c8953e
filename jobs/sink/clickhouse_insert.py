"""clickhouse_insert('database.table (columns)', ...): the sink, one vectorized UDF for any table.

One Arrow batch is one synchronous insert. Flink finishes the batch before a checkpoint passes, so
whatever a checkpoint covers is in ClickHouse. See docs/adr for why no record is stored twice.
"""

import secrets
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext, ScalarFunction, udf

from jobs.sink import arrow_columns
from jobs.sink import columns as casts
from jobs.sink.columns import RefusedValueError
from jobs.sink.fencing import PartitionFence
from jobs.sink.store import Store
from jobs.sink.stored_offsets import Int64s, StoredOffsets
from jobs.targets import table, target
from jobs.targets.target import Target
from lib import clickhouse
from lib.errors import JobError, SinkError
from lib.settings import ClickHouse

_fence = PartitionFence()

# Batches begun and not stored, as (job, subtask, attempt, target). After a failure Flink may still
# hand the next batch to a new instance of the same attempt, whose stored offset would also cover
# the lost batch.
_unfinished: set[tuple[str, int, int, str]] = set()

arrow_columns.install()


class ClickHouseInsert(ScalarFunction):
    """The UDF. Returns 1 for each row it stored and 0 for each that was stored before.

    Raises SinkError for rows that the table cannot take exactly or that come out of order."""

    def __init__(self, settings: ClickHouse, job: str) -> None:
        self._settings = settings
        self._job = job

    def open(self, function_context: FunctionContext) -> None:
        subtask = function_context.get_index_of_this_subtask()
        number = function_context.get_attempt_number()
        self._life = (self._job, subtask, number)
        # Subtask and attempt do not name one life of the sink: a new start counts from 0.
        self._attempt = f"{subtask}/{number}/{secrets.token_hex(8)}"
        self._rows = function_context.get_metric_group().counter("rows_inserted")
        self._writers: dict[str, Writer] = {}

    def eval(self, text: str, *values: Any) -> pd.Series:
        batch = (*self._life, text)
        if batch in _unfinished:
            raise RuntimeError("a batch failed before this one, which must wait for a new attempt")
        _unfinished.add(batch)
        try:
            stored = self._insert(text, values)
        except JobError as error:
            raise SinkError(f"clickhouse_insert: {error}") from error
        _unfinished.discard(batch)
        return stored

    def is_deterministic(self) -> bool:
        return False

    def _insert(self, text: str, values: tuple[Any, ...]) -> pd.Series:
        columns = (value for value in values if isinstance(value, pd.Series | pd.DataFrame))
        rows = next(map(len, columns), None)
        if rows is None:
            raise SinkError(f"{text}: all values are constants; name a column of the stream.")
        writer = self._writers.get(text) or self._open_writer(text)
        stored = writer.insert(values, rows)
        self._rows.inc(int(stored.sum()))
        return pd.Series(stored.astype(np.int64))

    def _open_writer(self, text: str) -> "Writer":
        found = target.parse(text)
        # Rows are compressed for a network, which loopback is not.
        client = clickhouse.connect(self._settings, compress=not self._settings.is_local)
        store = Store(client, found, f"{self._job}/{found.name}", self._attempt)
        self._writers[text] = Writer(store, found, f"{self._job}/{found.name}")
        return self._writers[text]


class Writer:
    """One sink instance's way into one table: casts, leaves out what is stored, inserts."""

    def __init__(self, store: Store, found: Target, name: str) -> None:
        self._store = store
        self._target = found
        self._name = name
        self._offsets = StoredOffsets()

    def insert(self, values: tuple[Any, ...], rows: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Store one batch; return which of its rows were new."""
        batch = self._as_table(values, rows)
        if not self._target.is_tracked:
            self._store.insert(batch, nullcontext)
            return np.ones(rows, dtype=np.bool_)
        partitions = batch["kafka_partition"].to_numpy().astype(np.int64)
        offsets = batch["kafka_offset"].to_numpy().astype(np.int64)
        self._claim_new(batch, partitions, offsets)
        is_new = self._offsets.receive(partitions, offsets)
        if is_new.any():
            if not is_new.all():
                batch = batch.filter(pa.array(is_new))
            held = np.unique(partitions).tolist()
            self._store.insert(batch, partial(_fence.holding, self._name, held, self))
            self._offsets.store(partitions[is_new], offsets[is_new])
        return is_new

    def _as_table(self, values: tuple[Any, ...], rows: int) -> pa.Table:
        """The batch in exactly the table's types; raise JobError for a value that does not fit."""
        if len(values) != len(self._target.columns):
            raise SinkError(table.wrong_number(self._target, len(values)))
        values = (*values, *self._own_values())
        values = tuple(arrow_columns.of(value) for value in values)
        try:
            arrays = [
                casts.cast(column, value, rows)
                for column, value in zip(self._store.columns, values, strict=True)
            ]
        except RefusedValueError as error:
            place = self._place(values, error.row)
            raise SinkError(f"{self._target.table}: {place}{error}") from error
        return pa.table(arrays, schema=self._store.schema)

    def _own_values(self) -> list[str]:
        """What the sink says of each row of the batch that has just come."""
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
        own = {"inserted_by": self._name, "received_at": now}
        return [own[name] for name in self._store.own_columns]

    def _place(self, values: tuple[Any, ...], row: int | None) -> str:
        """Which record a row of the batch is, where its target tells."""
        if row is None or not self._target.is_tracked:
            return ""
        named = dict(zip(self._target.columns, values, strict=False))
        partition, offset = (
            value[row] if isinstance(value, pa.ChunkedArray | pa.Array | pd.Series) else value
            for value in (named["kafka_partition"], named["kafka_offset"])
        )
        return f"partition {partition}, offset {offset}: "

    def _claim_new(self, batch: pa.Table, partitions: Int64s, offsets: Int64s) -> None:
        """On a partition's first rows: end what earlier attempts still do or left half done, then
        read its stored offset."""
        new = set(np.unique(partitions).tolist()) - self._offsets.received.keys()
        if not new:
            return
        _fence.claim(self._name, new, self)
        self._store.wait_for_earlier()
        self._store.complete_earlier(new)
        stored = self._store.stored_offsets()
        self._offsets.stored.update({p: stored[p] for p in new if p in stored})
        for partition in new & stored.keys():
            here = (partitions == partition) & (offsets <= stored[partition])
            self._check_same_topic(partition, batch.filter(pa.array(here)))

    def _check_same_topic(self, partition: int, replayed: pa.Table) -> None:
        """Raise SinkError if records at stored offsets are not those that were stored."""
        if not len(replayed):
            return
        offsets = replayed["kafka_offset"].to_pylist()
        times = (
            replayed["kafka_timestamp"]
            .cast(pa.timestamp("ms", tz="UTC"), safe=False)
            .cast(pa.int64())
            .to_pylist()
        )
        stored = self._store.stored_times(partition, offsets[0], offsets[-1])
        for offset, time in zip(offsets, times, strict=True):
            if stored.get(offset, time) != time:
                raise SinkError(
                    f"{self._target.table}: partition {partition}, offset {offset} holds another "
                    "record than the one stored from there: the topic was recreated, or is "
                    "another; empty the table, or write as another: 'table (columns) AS name'."
                )


def clickhouse_insert(settings: ClickHouse, job: str) -> Any:
    """The function to register under that name for one job."""
    return udf(ClickHouseInsert(settings, job), result_type=DataTypes.BIGINT(), func_type="pandas")
