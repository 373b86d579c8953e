"""Writes the records that are no row of a table into its table of dead letters, each once.

A record is there under its topic, partition and offset, whatever is sent again. They are stored
before the rows of their batch: a stored offset covers all records below it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from jobs.sink import insert_policy
from jobs.sink.batch import Batch, Int64s
from jobs.targets.dead_letters import COLUMNS
from jobs.targets.target import Target

# Why a record of several rows is none.
SEVERAL = "the record holds several objects, and one record is one row"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Where a record was found to be no row (parse, rule, sink), and why."""

    stage: str
    reason: str


class DeadLetters:
    """The table of dead letters of one target, as one writer fills it from one topic.

    `attempt` is unique to one life of one sink instance; it makes the ids of its inserts unique."""

    def __init__(
        self, client: Client, target: Target, topic: str, writer: str, attempt: str
    ) -> None:
        self.table = target.dead_letter_table
        self._client = client
        self._topic = topic
        self._writer = writer
        self._prefix = f"{writer}/{attempt}/dead"
        self._inserts = 0

    def times(self, partition: int, after: int) -> tuple[Int64s, Int64s]:
        """The offsets of the dead letters after an offset, which rise, and the Kafka timestamp of
        each (ms since 1970). As arrays: there may be millions."""
        table = self._client.query_arrow(
            "SELECT DISTINCT toInt64(kafka_offset) AS at, toUnixTimestamp64Milli(kafka_timestamp)"
            f" FROM {self.table} WHERE topic = {{topic:String}}"
            " AND kafka_partition = {partition:Int32} AND kafka_offset > {after:Int64} ORDER BY at",
            parameters={"topic": self._topic, "partition": partition, "after": after},
        )
        offsets, times = (column.to_numpy() for column in table.columns)
        return offsets, times

    def insert(self, rows: Batch, letters: Sequence[DeadLetter]) -> None:
        """Store a letter for each row, which has the columns of its place; raise as an insert of
        rows does."""
        self._inserts += 1
        name = f"{self._prefix}/{self._inserts}"
        table = self._as_table(rows.table, letters)
        for one_try in insert_policy.retrying():
            with one_try, insert_policy.explained(self.table):
                number = one_try.retry_state.attempt_number
                settings = insert_policy.settings(name, f"{name}/{number}")
                self._client.insert_arrow(self.table, table, settings=settings)

    def _as_table(self, rows: pa.Table, letters: Sequence[DeadLetter]) -> pa.Table:
        same = {
            "topic": pa.scalar(self._topic),
            "inserted_by": pa.scalar(self._writer),
            "has_record": pa.scalar(False),
            "version": pa.scalar(0, pa.uint32()),
        }
        arrays: dict[str, Any] = {
            "kafka_partition": rows["kafka_partition"],
            "kafka_offset": rows["kafka_offset"],
            "kafka_timestamp": rows["kafka_timestamp"],
            "stage": pa.array([letter.stage for letter in letters]),
            "reason": pa.array([letter.reason for letter in letters]),
            **{name: pa.repeat(value, len(letters)) for name, value in same.items()},
        }
        return pa.table({name: arrays[name] for name in COLUMNS}).combine_chunks()


def first_rows(batch: Batch, letters: Mapping[int, DeadLetter]) -> list[int]:
    """The rows of the letters in order, of each record only the first."""
    seen: set[tuple[int, int]] = set()
    rows = []
    for row in sorted(letters):
        place = int(batch.partitions[row]), int(batch.offsets[row])
        if place not in seen:
            seen.add(place)
            rows.append(row)
    return rows
