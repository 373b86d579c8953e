"""Stores the dead letters of a target: the records that are no row of its table, each once.

A dead letter is identified by topic, partition and offset, so that one that is sent again replaces
itself. Those of a batch are stored before its rows, because a stored offset covers all records
below it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from jobs.sink import arrow_columns, insert_policy
from jobs.sink.batch import Batch, Int64s
from jobs.targets.dead_letters import COLUMNS
from jobs.targets.target import Target


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The stage at which a record turned out to be no row (parse, rule or sink), and the reason."""

    stage: str
    reason: str


# Of a record that became several rows, of which none is stored.
SEVERAL = DeadLetter("parse", "the record holds several objects, and one record is one row")


class DeadLetters:
    """The table of dead letters of one target, as one writer fills it from one topic.

    `attempt` is unique to one life of one sink instance; it makes the ids of its inserts unique."""

    def __init__(
        self, client: Client, target: Target, topic: str, writer: str, attempt: str
    ) -> None:
        self.table = target.dead_letter_table
        self._client = client
        self.topic = topic
        self._writer = writer
        self._prefix = f"{writer}/{attempt}/dead"
        self._inserts = 0

    def times(self, partition: int, after: int) -> tuple[Int64s, Int64s]:
        """The offsets of this writer's dead letters after an offset, ascending, and the Kafka
        timestamp of each (ms since 1970). As arrays: there may be millions.

        Those of another writer followed its rules. A replayed one is decided by its row."""
        table = self._client.query_arrow(
            "SELECT toInt64(kafka_offset) AS at, toUnixTimestamp64Milli(kafka_timestamp)"
            f" FROM {self.table} FINAL WHERE topic = {{topic:String}}"
            " AND kafka_partition = {partition:Int32} AND kafka_offset > {after:Int64}"
            " AND inserted_by = {writer:String} AND replayed_at IS NULL ORDER BY at",
            parameters={
                "topic": self.topic,
                "partition": partition,
                "after": after,
                "writer": self._writer,
            },
        )
        offsets, times = (column.to_numpy() for column in table.columns)
        return offsets, times

    def insert(self, records: Batch, letters: Mapping[int, DeadLetter]) -> int:
        """Store the dead letters, by row of the records, one for each record; return how many.

        Tried again while the failure may pass; raise SinkError for a refusal, else the last failure
        after RETRY_LIMIT."""
        self._inserts += 1
        name = f"{self._prefix}/{self._inserts}"
        rows = _first_rows(records, letters)
        table = self._as_table(records.table.take(rows), [letters[row] for row in rows])
        for one_try in insert_policy.retrying():
            with one_try, insert_policy.explained(self.table):
                number = one_try.retry_state.attempt_number
                settings = insert_policy.settings(name, f"{name}/{number}")
                self._client.insert_arrow(self.table, table, settings=settings)
        return len(rows)

    def _as_table(self, records: pa.Table, letters: Sequence[DeadLetter]) -> pa.Table:
        same = {
            "topic": pa.scalar(self.topic),
            "inserted_by": pa.scalar(self._writer),
            "has_record": pa.scalar(False),
            "version": pa.scalar(0, pa.uint32()),
        }
        arrays: dict[str, Any] = {
            "kafka_partition": records["kafka_partition"],
            "kafka_offset": records["kafka_offset"],
            "kafka_timestamp": records["kafka_timestamp"],
            "stage": pa.array([letter.stage for letter in letters]),
            "reason": pa.array([letter.reason for letter in letters]),
            **{name: pa.repeat(value, len(letters)) for name, value in same.items()},
        }
        return pa.table({name: arrays[name] for name in COLUMNS}).combine_chunks()


def _first_rows(records: Batch, letters: Mapping[int, DeadLetter]) -> list[int]:
    """The rows of the dead letters in order, of each record only the first."""
    first: dict[tuple[int, int], int] = {}
    for row in sorted(letters):
        first.setdefault((int(records.partitions[row]), int(records.offsets[row])), row)
    return [*first.values()]


def reasons(values: Sequence[Any], rows: int) -> pa.Array:
    """The reason of each row, NULL for a row of the table; `values` holds the column of reasons, or
    nothing without dead letters."""
    value = arrow_columns.of(values[0]) if values else None
    if isinstance(value, pa.ChunkedArray):
        return value.combine_chunks()
    if isinstance(value, pa.Array):
        return value
    texts = value if isinstance(value, pd.Series) else [value] * rows
    return pa.array(texts, pa.string(), from_pandas=True)
