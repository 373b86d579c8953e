"""Takes over Kafka partitions from earlier attempts of a writer."""

from collections.abc import Collection

import numpy as np
import pyarrow as pa

from jobs.sink.batch import Batch, Int64s
from jobs.sink.dead_letters import DeadLetters
from jobs.sink.store import Store
from jobs.sink.stored_offsets import StoredOffsets
from lib.errors import SinkError


def take_over(
    store: Store,
    letters: DeadLetters | None,
    offsets: StoredOffsets,
    partitions: Collection[int],
    records: Batch,
) -> None:
    """Complete the inserts of earlier attempts, then note in `offsets` which records of these
    partitions are stored or dead letters.

    `records` are the first that arrive; raise SinkError if other ones are known at their offsets.
    The caller owns the partitions: no earlier attempt begins an insert."""
    store.wait_for_earlier()
    store.complete_earlier(partitions)
    stored = store.stored_offsets()
    for partition in partitions:
        here = records.filter(records.partitions == partition)
        last = stored.get(partition, -1)
        if last >= 0:
            offsets.stored[partition] = last
            _check_stored(store, partition, here.filter(here.offsets <= last))
        if letters:
            dead, times = letters.times(partition, last)
            # A column of seconds cuts what the dead letters have whole.
            times = times - times % _milliseconds(store)
            remedy = f"remove them (DELETE FROM {letters.table} WHERE topic = '{letters.topic}')"
            _check_same(letters.table, here.filter(here.offsets > last), dead, times, remedy)
            if len(dead):
                offsets.dead[partition] = dead


def _milliseconds(store: Store) -> int:
    """How many milliseconds the Kafka timestamps in the table are apart."""
    return {column.name: column for column in store.columns}["kafka_timestamp"].milliseconds


def _check_stored(store: Store, partition: int, records: Batch) -> None:
    """Raise SinkError if records at stored offsets are not those that were stored."""
    if len(records):
        first, last = int(records.offsets[0]), int(records.offsets[-1])
        known, times = store.stored_times(partition, first, last)
        remedy = "empty the table, or write as another: 'table (columns) AS name'"
        _check_same(store.target.table, records, known, times, remedy)


def _check_same(table: str, records: Batch, known: Int64s, times: Int64s, remedy: str) -> None:
    """Raise SinkError for a record with another time than the table has at its offset."""
    if not len(known):
        return
    at = np.minimum(np.searchsorted(known, records.offsets), len(known) - 1)
    new = records.table["kafka_timestamp"].cast(pa.int64()).to_numpy()
    others = np.flatnonzero((known[at] == records.offsets) & (times[at] != new))
    if len(others):
        partition, offset = records.partitions[others[0]], records.offsets[others[0]]
        raise SinkError(
            f"{table}: partition {partition}, offset {offset} holds another record than the one "
            f"stored from there: the topic was recreated, or is another; {remedy}."
        )
