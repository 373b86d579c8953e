"""Writes the batches of one target: each new row into its table, or as a dead letter."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.sink import arrow_columns, dead_letters
from jobs.sink import columns as casts
from jobs.sink import records as kafka_records
from jobs.sink.batch import Batch, Bools
from jobs.sink.columns import RefusedValueError
from jobs.sink.dead_letters import SEVERAL, DeadLetter, DeadLetters
from jobs.sink.fencing import PartitionFence
from jobs.sink.insert_policy import RefusedInsertError
from jobs.sink.store import Store
from jobs.sink.stored_offsets import Received, StoredOffsets
from jobs.sink.takeover import take_over
from jobs.targets import table
from lib.errors import SinkError

Values = tuple[Any, ...]
# Dead letters by the row of the batch.
Letters = dict[int, DeadLetter]
Guard = Callable[[], AbstractContextManager[None]]

_fence = PartitionFence()

# How many rows of one batch ClickHouse may refuse one by one: each costs some inserts. A table that
# refuses more does not fit the job's SQL, and the job stops.
REFUSED_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Inserted:
    """Which rows of a batch were stored now, and how many dead letters."""

    is_stored: Bools
    dead_letters: int = 0


class Writer:
    """Writes for one sink instance into a table and, if there is one, its table of dead letters.

    Unless it `keeps` dead letters, the first record that would become one is refused.
    `skips_repeated`: another insert of the job makes a record that became several rows a dead
    letter, so that its rows are left out here. Otherwise such a record is refused."""

    def __init__(
        self,
        store: Store,
        letters: DeadLetters | None = None,
        keeps: bool = True,
        skips_repeated: bool = False,
    ) -> None:
        self._store = store
        self._target = store.target
        self._letters = letters
        self._keeps = keeps and letters is not None
        self._skips_repeated = skips_repeated
        self._offsets = StoredOffsets()

    def insert(self, values: Values, rows: int) -> Inserted:
        """Store each row of a batch that is not stored yet, in the table or as a dead letter. Raise
        SinkError for rows out of order and, without dead letters, for one that is no row."""
        if len(values) != len(self._target.values):
            raise SinkError(table.wrong_number(self._target, len(values)))
        columns = len(self._target.columns)
        reasons = dead_letters.reasons(values[columns:], rows)
        values = tuple(map(arrow_columns.of, (*values[:columns], *self._store.own_values())))
        if not self._target.is_tracked:
            self._store.insert(casts.batch(self._store.columns, values, rows), nullcontext)
            return Inserted(np.ones(rows, dtype=np.bool_))
        records = kafka_records.read(self._target, self._store.columns, values, rows)
        guard = self._own_partitions(records)
        received = self._offsets.receive(records)
        return self._insert_tracked(values, reasons, records, received, guard)

    def _own_partitions(self, records: Batch) -> Guard:
        """Take over the partitions that are new to this attempt; return the guard of its inserts,
        which raises FencedError as soon as a newer attempt has taken them over."""
        partitions = set(np.unique(records.partitions).tolist())
        if new := partitions - self._offsets.received.keys():
            _fence.claim(self._store.writer, new, self)
            take_over(self._store, self._letters, self._offsets, new, records)
        return partial(_fence.held, self._store.writer, partitions, self)

    def _insert_tracked(
        self, values: Values, reasons: pa.Array, records: Batch, received: Received, guard: Guard
    ) -> Inserted:
        letters = self._with_reason(reasons, records, received)
        letters |= self._of_several_rows(records, received)
        is_row = received.is_new & ~received.is_repeated
        is_row[[*letters]] = False
        batch, refused = self._as_rows(values, records, is_row)
        is_row[[*refused]] = False
        count = self._keep(records, letters | refused, guard)
        is_stored = np.zeros(len(records), dtype=np.bool_)
        if is_row.any():
            is_stored[is_row], refusals = self._store_rows(batch, guard)
            count += refusals
        self._offsets.store(records.filter(received.is_new))
        return Inserted(is_stored, count)

    def _with_reason(self, reasons: pa.Array, records: Batch, received: Received) -> Letters:
        """The dead letters of the new rows that have a reason; raise SinkError for the first if
        none are kept."""
        if reasons.null_count == len(reasons):
            return {}
        is_dead = reasons.is_valid().to_numpy(zero_copy_only=False) & received.is_new
        texts = reasons.filter(pa.array(is_dead)).to_pylist()
        rows = np.flatnonzero(is_dead).tolist()
        if rows and not self._keeps:
            raise SinkError(
                f"{self._target.table}: {kafka_records.place(records, rows[0])}{texts[0]}; correct "
                "its producer or the rule, or set dead_letters.keep to true."
            )
        return {row: DeadLetter("rule", text) for row, text in zip(rows, texts, strict=True)}

    def _of_several_rows(self, records: Batch, received: Received) -> Letters:
        """The dead letters of the new rows whose record became several; raise SinkError for the
        first unless they are kept, here or by another insert."""
        rows = np.flatnonzero(received.is_repeated).tolist()
        if not rows:
            return {}
        if not self._keeps and not self._skips_repeated:
            raise SinkError(f"{kafka_records.place(records, rows[0])}{_SEVERAL_ROWS}")
        self._remove_stored(records, rows)
        return {row: SEVERAL for row in rows if received.is_new[row]}

    def _as_rows(self, values: Values, records: Batch, is_row: Bools) -> tuple[Batch, Letters]:
        """These rows in the table's types, without those of which a value does not fit, and the
        dead letters of those; raise SinkError for the first if none are kept."""
        kept = values if is_row.all() else tuple(casts.filter_rows(v, is_row) for v in values)
        try:
            return casts.batch(self._store.columns, kept, int(is_row.sum())), {}
        except RefusedValueError as error:
            rows = np.flatnonzero(is_row)
            refused = casts.refused_rows(self._store.columns, kept, len(rows))
            # Without one, the values fit one by one and not together.
            if not self._keeps or not refused:
                place = "" if error.row is None else kafka_records.place(records, rows[error.row])
                raise SinkError(f"{self._target.table}: {place}{error}") from error
        letters = {int(rows[row]): DeadLetter("sink", text) for row, text in refused.items()}
        fits = is_row.copy()
        fits[[*letters]] = False
        batch, others = self._as_rows(values, records, fits)
        return batch, letters | others

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
                if not self._keeps or not error.is_about_values or refused == REFUSED_LIMIT:
                    raise
                if end - start == 1:
                    letters = {0: DeadLetter("sink", error.reason)}
                    refused += self._keep(kafka_records.of(part), letters, guard)
                else:
                    middle = (start + end) // 2
                    todo += [(middle, end), (start, middle)]
        return is_stored, refused

    def _keep(self, records: Batch, letters: Letters, guard: Guard) -> int:
        """Store these dead letters, if any are kept here; return how many."""
        if not self._letters or not letters:
            return 0
        with guard():
            return self._letters.insert(records, letters)

    def _remove_stored(self, records: Batch, rows: list[int]) -> None:
        """Remove what is stored of records that turn out to hold several rows, and keep them as
        dead letters: a full batch ended within one, whose first row looked like the only one."""
        at = {(int(records.partitions[row]), int(records.offsets[row])): row for row in rows}
        stored = [
            row
            for (partition, offset), row in at.items()
            if offset <= self._offsets.stored.get(partition, -1)
            and self._store.remove(partition, offset)
        ]
        self._keep(records, dict.fromkeys(stored, SEVERAL), nullcontext)


_SEVERAL_ROWS = (
    "one record became several rows, which one offset cannot tell apart; leave out such records "
    "(arrays of several objects), or a join or UNNEST before clickhouse_insert."
)
