"""The way of a batch into its table: cast, without what is stored already, inserted."""

from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from jobs.sink import arrow_columns
from jobs.sink import columns as casts
from jobs.sink.batch import Batch, Bools
from jobs.sink.columns import RefusedValueError
from jobs.sink.fencing import PartitionFence
from jobs.sink.store import Store
from jobs.sink.stored_offsets import StoredOffsets
from jobs.targets import table
from lib.errors import SinkError

_fence = PartitionFence()


class Writer:
    """What one sink instance writes to one table."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._target = store.target
        self._offsets = StoredOffsets()

    def insert(self, values: tuple[Any, ...], rows: int) -> Bools:
        """Store one batch; return which of its rows were new."""
        batch = Batch.of(self._as_table(values, rows))
        if not self._target.is_tracked:
            self._store.insert(batch, nullcontext)
            return np.ones(rows, dtype=np.bool_)
        partitions = set(np.unique(batch.partitions).tolist())
        if new := partitions - self._offsets.received.keys():
            self._take_over(new, batch)
        is_new = self._offsets.receive(batch)
        if is_new.any():
            batch = batch.filter(is_new)
            guard = partial(_fence.held, self._store.writer, partitions, self)
            self._store.insert(batch, guard)
            self._offsets.store(batch)
        return is_new

    def _as_table(self, values: tuple[Any, ...], rows: int) -> pa.Table:
        """The batch in exactly the table's types; raise SinkError for a value that does not fit."""
        if len(values) != len(self._target.columns):
            raise SinkError(table.wrong_number(self._target, len(values)))
        values = tuple(arrow_columns.of(value) for value in (*values, *self._own_values()))
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
        """The values of the sink's own columns, the same for each row of the batch."""
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
        own = {"inserted_by": self._store.writer, "received_at": now}
        return [own[name] for name in self._store.own_columns]

    def _place(self, values: tuple[Any, ...], row: int | None) -> str:
        """Which record a row of the batch is; empty if that is not known."""
        if row is None or not self._target.is_tracked:
            return ""
        named = dict(zip(self._target.columns, values, strict=False))
        partition, offset = (
            value[row] if isinstance(value, pa.ChunkedArray | pa.Array | pd.Series) else value
            for value in (named["kafka_partition"], named["kafka_offset"])
        )
        return f"partition {partition}, offset {offset}: "

    def _take_over(self, partitions: set[int], batch: Batch) -> None:
        """Before the first rows of these partitions: end or complete the inserts of earlier
        attempts, then read the stored offsets."""
        _fence.claim(self._store.writer, partitions, self)
        self._store.wait_for_earlier()
        self._store.complete_earlier(partitions)
        stored = self._store.stored_offsets()
        for partition in partitions & stored.keys():
            self._offsets.stored[partition] = stored[partition]
            here = (batch.partitions == partition) & (batch.offsets <= stored[partition])
            self._check_same_topic(partition, batch.filter(here))

    def _check_same_topic(self, partition: int, replayed: Batch) -> None:
        """Raise SinkError if records at stored offsets are not those that were stored."""
        if not len(replayed.offsets):
            return
        offsets = replayed.offsets.tolist()
        times = (
            replayed.table["kafka_timestamp"]
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
