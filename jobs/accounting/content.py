"""Compares rows and dead letters with their records in Kafka, by content."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from clickhouse_connect.driver.client import Client

from jobs.accounting import accounted, dead_letters, fields
from jobs.accounting.account import Account
from jobs.accounting.fields import Comparison
from jobs.accounting.missing_records import MissingRecords
from jobs.targets import table
from jobs.targets.target import PLACE
from lib.kafka import Record, Span
from lib.quoting import quote_name

# How many offsets are compared at once.
STEP = 50_000

# How many bytes of a value a difference shows at most.
SHOWN = 60

_MILLISECONDS = "toUnixTimestamp64Milli(toDateTime64(kafka_timestamp, 3))"

# Values by their digests: those of one part may be too large for the memory.
_KEY_AND_VALUE = ("key", f"left(value, {SHOWN})", "SHA256(value)")

# Columns that hold no field.
_OF_THE_RECORD = {*PLACE, "kafka_timestamp"}

# Rows as tuples, by offset: several if a record is stored twice.
_Rows = dict[int, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Difference:
    """A value of a row or a dead letter that differs from the record in Kafka."""

    offset: int
    fact: str


def comparisons(client: Client, account: Account) -> list[Comparison]:
    """How the columns that the insert fills are compared with the fields of the same names."""
    kinds = table.read(client, account.target).types
    columns = [name for name in account.target.columns if name not in _OF_THE_RECORD]
    return fields.comparisons(kinds, {name: quote_name(name) for name in columns})


def compare(
    client: Client,
    kafka: MissingRecords,
    account: Account,
    partition: int,
    span: Span,
    columns: list[Comparison],
) -> Iterator[Difference]:
    """Yield the differences in a span of at most STEP offsets, for records that Kafka still has."""
    expressions = [_MILLISECONDS, *(column.expression for column in columns)]
    rows = _read(client, accounted.rows(account, expressions), account, partition, span)
    letters = _read(
        client,
        accounted.dead_letters(account, [_MILLISECONDS, *_KEY_AND_VALUE]) + " AND has_record",
        account,
        partition,
        span,
    )
    wanted = np.array(sorted(rows.keys() | letters.keys()), dtype=np.int64)
    for record in kafka.read((account.topic, partition), wanted):
        for row in rows.get(record.offset, []):
            yield from _of_row(record, row, columns)
        for letter in letters.get(record.offset, []):
            yield from _of_dead_letter(record, letter)


def _read(client: Client, query: str, account: Account, partition: int, span: Span) -> _Rows:
    parameters = accounted.parameters(account, partition, span)
    # Texts as bytes, because they may not be UTF-8.
    arrow = client.query_arrow(query, parameters, use_strings=False)
    rows: _Rows = {}
    for offset, *values in zip(*(column.to_pylist() for column in arrow.columns), strict=True):
        rows.setdefault(offset, []).append(tuple(values))
    return rows


def _of_row(
    record: Record, row: tuple[Any, ...], columns: list[Comparison]
) -> Iterator[Difference]:
    if row[0] != record.timestamp:
        yield _difference(record, "kafka_timestamp", row[0], record.timestamp)
    try:
        content: Mapping[str, Any] = fields.read(record.value)
    except (ValueError, RecursionError):
        yield Difference(record.offset, f"is stored, and Kafka has {record.value!r:.100}")
        return
    for column, stored in zip(columns, row[1:], strict=True):
        text = None if stored is None else stored.decode(errors="backslashreplace")
        # Most are the same text.
        if content.get(column.column) != text and fields.differs(column, content, text):
            yield _difference(record, column.column, text, content[column.column])


def _of_dead_letter(record: Record, letter: tuple[Any, ...]) -> Iterator[Difference]:
    time, key, shown, digest = letter
    kept = dead_letters.time(record)
    if time != kept:
        yield _difference(record, "its dead letter's timestamp", time, kept)
    if key != record.key:
        yield _difference(record, "its dead letter's key", key, record.key)
    value = record.value
    if digest != (None if value is None else hashlib.sha256(value).digest()):
        yield _difference(record, "its dead letter's value", shown, value and value[:SHOWN])


def _difference(record: Record, name: str, stored: object, kept: object) -> Difference:
    facts = (f"{value!r:.{SHOWN}}" for value in (stored, kept))
    return Difference(record.offset, f"{name} is {', and Kafka has '.join(facts)}")
