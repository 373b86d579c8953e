"""The way of a batch into its table: cast, without what is decided already, inserted."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from jobs.sink import arrow_columns, dead_letters
from jobs.sink import columns as casts
from jobs.sink.batch import Batch, Bools, Int64s
from jobs.sink.columns import RefusedValueError
from jobs.sink.dead_letters import DeadLetter, DeadLetters
from jobs.sink.fencing import PartitionFence
from jobs.sink.insert_policy import RefusedInsertError
from jobs.sink.store import Store
from jobs.sink.stored_offsets import Received, StoredOffsets
from jobs.targets import table
from lib.errors import SinkError

Values = tuple[Any, ...]
Letters = dict[int, DeadLetter]
Guard = Callable[[], AbstractContextManager[None]]

_fence = PartitionFence()

# How many rows of one batch ClickHouse may refuse one by one: each costs some inserts. A table that
# refuses more is not what the job's SQL takes it for, and the job stops.
REFUSED_LIMIT = 1_000

# The columns that identify a record, as every batch has them.
_PLACE = {
    "kafka_partition": pa.int32(),
    "kafka_offset": pa.int64(),
    "kafka_timestamp": pa.timestamp("ms", tz="UTC"),
}


@dataclass(frozen=True, slots=True)
class Inserted:
    """Which rows of a batch were stored now, and how many dead letters."""

    is_stored: Bools
    dead_letters: int = 0


class Writer:
    """What one sink instance writes to one table, and to its table of dead letters if it has one.

    `skips_repeated`: of a record that became several rows none is stored, for the insert that
    accounts for the topic makes it a dead letter."""

    def __init__(
        self, store: Store, letters: DeadLetters | None = None, skips_repeated: bool = False
    ) -> None:
        self._store = store
        self._target = store.target
        self._letters = letters
        self._skips_repeated = skips_repeated
        self._offsets = StoredOffsets()

    def insert(self, values: Values, rows: int) -> Inserted:
        """Store one batch, each of its rows in the table or as a dead letter."""
        if len(values) != len(self._target.values):
            raise SinkError(table.wrong_number(self._target, len(values)))
        columns = len(self._target.columns)
        reasons = _as_reasons(values[columns:], rows)
        values = tuple(map(arrow_columns.of, (*values[:columns], *self._own_values())))
        if not self._target.is_tracked:
            self._store.insert(self._as_batch(values, rows), nullcontext)
            return Inserted(np.ones(rows, dtype=np.bool_))
        places = self._places(values, rows)
        partitions = set(np.unique(places.partitions).tolist())
        if new := partitions - self._offsets.received.keys():
            self._take_over(new, places)
        received = self._offsets.receive(places)
        guard = partial(_fence.held, self._store.writer, partitions, self)
        return self._insert_tracked(values, reasons, places, received, guard)

    def _insert_tracked(
        self, values: Values, reasons: pa.Array, places: Batch, received: Received, guard: Guard
    ) -> Inserted:
        letters = self._letters_of_rows(reasons, places, received)
        is_row = received.is_new & ~received.is_repeated
        is_row[[*letters]] = False
        batch, refused = self._as_rows(values, places, is_row)
        letters |= refused
        is_row[[*refused]] = False
        count = self._bury(places, letters, guard)
        is_stored = np.zeros(len(places), dtype=np.bool_)
        if is_row.any():
            is_stored[is_row], refusals = self._store_rows(batch, guard)
            count += refusals
        self._offsets.store(places.filter(received.is_new))
        return Inserted(is_stored, count)

    def _letters_of_rows(self, reasons: pa.Array, places: Batch, received: Received) -> Letters:
        """The new rows that are no row of the table by their reason, or as one of several."""
        letters: Letters = {}
        if reasons.null_count < len(reasons):
            is_dead = reasons.is_valid().to_numpy(zero_copy_only=False) & received.is_new
            texts = reasons.filter(pa.array(is_dead)).to_pylist()
            rows = np.flatnonzero(is_dead).tolist()
            letters = {row: DeadLetter("rule", text) for row, text in zip(rows, texts, strict=True)}
        if received.is_repeated.any():
            rows = np.flatnonzero(received.is_repeated).tolist()
            if not self._letters and not self._skips_repeated:
                raise SinkError(f"{self._place(places, rows[0])}{_SEVERAL_ROWS}")
            self._remove_stored(places, rows)
            several = DeadLetter("parse", dead_letters.SEVERAL)
            letters |= {row: several for row in rows if received.is_new[row]}
        if letters and not self._letters and not self._skips_repeated:
            row = min(letters)
            raise SinkError(
                f"{self._target.table}: {self._place(places, row)}{letters[row].reason}; correct "
                "its producer or the rule, or set dead_letters.keep to true."
            )
        return letters

    def _as_rows(self, values: Values, places: Batch, is_row: Bools) -> tuple[Batch, Letters]:
        """These rows in the table's types, and letters for those with a value that does not fit."""
        kept = values if is_row.all() else tuple(casts.keep(value, is_row) for value in values)
        try:
            return self._as_batch(kept, int(is_row.sum())), {}
        except RefusedValueError as error:
            rows = np.flatnonzero(is_row)
            if not self._letters:
                place = "" if error.row is None else self._place(places, int(rows[error.row]))
                raise SinkError(f"{self._target.table}: {place}{error}") from error
        letters = {
            int(rows[row]): DeadLetter("sink", text)
            for column, value in zip(self._store.columns, kept, strict=True)
            for row, text in casts.refused(column, value, len(rows)).items()
        }
        fits = is_row.copy()
        fits[[*letters]] = False
        batch, _ = self._as_rows(values, places, fits)
        return batch, letters

    def _store_rows(self, batch: Batch, guard: Guard) -> tuple[Bools, int]:
        """Store the rows in order; those that ClickHouse refuses for a value become dead letters,
        at most REFUSED_LIMIT. Return which were stored, and how many were not."""
        is_stored = np.zeros(len(batch), dtype=np.bool_)
        refused = 0
        todo = [(0, len(batch))]
        while todo:
            start, end = todo.pop()
            part = batch.slice(start, end)
            try:
                self._store.insert(part, guard)
                is_stored[start:end] = True
            except RefusedInsertError as error:
                if not self._letters or not error.is_about_values or refused == REFUSED_LIMIT:
                    raise
                if end - start == 1:
                    place = Batch.of(part.table.select([*_PLACE]).cast(pa.schema(_PLACE)))
                    refused += self._bury(place, {0: DeadLetter("sink", error.reason)}, guard)
                else:
                    middle = (start + end) // 2
                    todo += [(middle, end), (start, middle)]
        return is_stored, refused

    def _bury(self, places: Batch, letters: Letters, guard: Guard) -> int:
        """Store the dead letters of rows, and return how many."""
        if not self._letters or not letters:
            return 0
        rows = dead_letters.first_rows(places, letters)
        is_dead = np.zeros(len(places), dtype=np.bool_)
        is_dead[rows] = True
        with guard():
            self._letters.insert(places.filter(is_dead), [letters[r] for r in rows])
        return len(rows)

    def _remove_stored(self, places: Batch, rows: list[int]) -> None:
        """Remove what is stored of records that turn out to hold several rows: a batch that was
        full ended within one, so that its first row looked like the only one."""
        at = {(int(places.partitions[row]), int(places.offsets[row])): row for row in rows}
        stored = {
            place: row
            for place, row in at.items()
            if place[1] <= self._offsets.stored.get(place[0], -1) and self._store.remove(*place)
        }
        several = DeadLetter("parse", dead_letters.SEVERAL)
        self._bury(places, dict.fromkeys(stored.values(), several), nullcontext)

    def _as_batch(self, values: Values, rows: int) -> Batch:
        """The rows in exactly the table's types; raise RefusedValueError for a value that does not
        fit."""
        arrays = [
            casts.cast(column, value, rows)
            for column, value in zip(self._store.columns, values, strict=True)
        ]
        return Batch.of(pa.table(arrays, schema=self._store.schema))

    def _own_values(self) -> list[str]:
        """The values of the sink's own columns, the same for each row of the batch."""
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
        own = {"inserted_by": self._store.writer, "received_at": now}
        return [own[name] for name in self._store.own_columns]

    def _places(self, values: Values, rows: int) -> Batch:
        """The records of the rows; raise SinkError for one without partition, offset or time."""
        named = dict(zip(self._target.columns, values, strict=False))
        columns = {column.name: column for column in self._store.columns}
        try:
            arrays = [
                casts.cast(columns[name], named[name], rows).cast(kind, safe=False)
                for name, kind in _PLACE.items()
            ]
        except RefusedValueError as error:
            raise SinkError(f"{self._target.table}: {error}") from error
        return Batch.of(pa.table(arrays, schema=pa.schema(_PLACE)))

    def _place(self, places: Batch, row: int) -> str:
        """Which record a row of the batch is."""
        return f"partition {places.partitions[row]}, offset {places.offsets[row]}: "

    def _take_over(self, partitions: set[int], places: Batch) -> None:
        """Before the first rows of these partitions: end or complete the inserts of earlier
        attempts, then read which offsets are decided."""
        _fence.claim(self._store.writer, partitions, self)
        self._store.wait_for_earlier()
        self._store.complete_earlier(partitions)
        stored = self._store.stored_offsets()
        for partition in partitions:
            here = places.filter(places.partitions == partition)
            last = stored.get(partition, -1)
            if last >= 0:
                self._offsets.stored[partition] = last
                self._check_same_topic(partition, here.filter(here.offsets <= last))
            if self._letters:
                dead, times = self._letters.times(partition, last)
                self._check_same_records(partition, here.filter(here.offsets > last), dead, times)
                if len(dead):
                    self._offsets.dead[partition] = dead

    def _check_same_topic(self, partition: int, replayed: Batch) -> None:
        """Raise SinkError if records at stored offsets are not those that were stored."""
        if len(replayed):
            first, last = int(replayed.offsets[0]), int(replayed.offsets[-1])
            stored, times = self._store.stored_times(partition, first, last)
            self._check_same_records(partition, replayed, stored, times)

    def _check_same_records(
        self, partition: int, replayed: Batch, known: Int64s, times: Int64s
    ) -> None:
        """Raise SinkError for a record with another time than the one known at its offset."""
        if not len(known):
            return
        at = np.minimum(np.searchsorted(known, replayed.offsets), len(known) - 1)
        new = replayed.table["kafka_timestamp"].cast(pa.int64()).to_numpy()
        others = replayed.offsets[(known[at] == replayed.offsets) & (times[at] != new)]
        if len(others):
            raise SinkError(
                f"{self._target.table}: partition {partition}, offset {others[0]} holds another "
                "record than the one stored from there: the topic was recreated, or is another; "
                "empty the table, or write as another: 'table (columns) AS name'."
            )


def _as_reasons(values: Values, rows: int) -> pa.Array:
    """The reason of each row, NULL for one of the table; without dead letters there is none."""
    value = arrow_columns.of(values[0]) if values else None
    if isinstance(value, pa.ChunkedArray):
        return value.combine_chunks()
    if isinstance(value, pa.Array):
        return value
    texts = value if isinstance(value, pd.Series) else [value] * rows
    return pa.array(texts, pa.string(), from_pandas=True)


_SEVERAL_ROWS = (
    "one record became several rows, which one offset cannot tell apart; leave out such records "
    "(arrays of several objects), or a join or UNNEST before clickhouse_insert."
)
