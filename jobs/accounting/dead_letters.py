"""Stores dead letters with the key and value of their records in Kafka."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from jobs.accounting.account import Account
from jobs.targets.dead_letters import FIRST, LAST
from lib.kafka import Record

# The most dead letters of one insert, and the bytes after which it is sent.
ROWS = 10_000
BYTES = 16 * 2**20

# The sink's rows, which have no record, are version 0; those of a replay come after this.
VERSION = 1

_SCHEMA = pa.schema(
    {
        "topic": pa.string(),
        "kafka_partition": pa.int32(),
        "kafka_offset": pa.int64(),
        "kafka_timestamp": pa.timestamp("ms", "UTC"),
        "stage": pa.string(),
        "reason": pa.string(),
        "key": pa.binary(),
        "value": pa.binary(),
        "has_record": pa.bool_(),
        "inserted_by": pa.string(),
        "version": pa.uint32(),
    }
)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that is not a row, with the reason; `writer` is the insert that refused it.

    `is_new`: no table had it before."""

    record: Record
    stage: str
    reason: str
    writer: str
    version: int = VERSION
    is_new: bool = False


def store(client: Client, account: Account, partition: int, letters: Iterable[DeadLetter]) -> int:
    """Store dead letters, and return how many are new; one that is stored again replaces itself."""
    new = 0
    for batch in _batches(letters):
        rows = [_row(account.topic, partition, letter) for letter in batch]
        client.insert_arrow(
            account.dead_letters,
            pa.Table.from_pylist(rows, _SCHEMA),
            settings={"async_insert": 0},
        )
        new += sum(letter.is_new for letter in batch)
    return new


def time(record: Record) -> int:
    """The timestamp that a dead letter of the record has."""
    return min(max(record.timestamp, FIRST), LAST)


def _batches(letters: Iterable[DeadLetter]) -> Iterator[list[DeadLetter]]:
    batch: list[DeadLetter] = []
    size = 0
    for letter in letters:
        batch.append(letter)
        size += len(letter.record.key or b"") + len(letter.record.value or b"")
        if len(batch) >= ROWS or size >= BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _row(topic: str, partition: int, letter: DeadLetter) -> dict[str, object]:
    return {
        "topic": topic,
        "kafka_partition": partition,
        "kafka_offset": letter.record.offset,
        "kafka_timestamp": time(letter.record),
        "stage": letter.stage,
        "reason": letter.reason,
        "key": letter.record.key,
        "value": letter.record.value,
        "has_record": True,
        "inserted_by": letter.writer,
        "version": letter.version,
    }
