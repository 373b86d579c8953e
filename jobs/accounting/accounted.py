"""Reads which offsets of a partition are rows, dead letters or neither."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from clickhouse_connect.driver.client import Client

from jobs.accounting import offsets
from jobs.accounting.account import Account
from jobs.accounting.offsets import Offsets
from lib.kafka import Span

_IN_SPAN = (
    " AND kafka_partition = {partition:Int64}"
    " AND kafka_offset >= {start:Int64} AND kafka_offset < {end:Int64}"
)

# Stage, reason and writer of a dead letter.
Finding = tuple[str, str, str]


@dataclass(frozen=True)
class Accounted:
    """The offsets in a span of a partition by what ClickHouse has of them, each list ascending."""

    span: Span
    # Of each physical row: a record that is stored twice is in it twice, even if FINAL shows one.
    rows: Offsets
    dead_letters: Offsets
    own_dead_letters: Offsets
    # Dead letters whose key and value have not been read from Kafka yet.
    without_record: Offsets

    @cached_property
    def stored(self) -> Offsets:
        """The offsets that have a row, each once."""
        return np.unique(self.rows)

    @cached_property
    def missing(self) -> Offsets:
        """The offsets without a row or a dead letter."""
        return offsets.missing(np.union1d(self.stored, self.dead_letters), self.span)

    @cached_property
    def stored_and_dead(self) -> Offsets:
        """The offsets with a row and a dead letter, both of this writer."""
        return np.intersect1d(self.stored, self.own_dead_letters, assume_unique=True)

    @cached_property
    def doubled(self) -> Offsets:
        """The offsets that have several rows, or a row and a dead letter."""
        return np.union1d(offsets.repeated(self.rows), self.stored_and_dead)


def rows(account: Account, expressions: Sequence[str] = ()) -> str:
    """A query for the rows of the writer in a span: the offset, then the expressions."""
    selected = ", ".join(["toInt64(kafka_offset)", *expressions])
    return f"SELECT {selected} FROM {account.table} WHERE inserted_by = {{writer:String}}{_IN_SPAN}"


def dead_letters(account: Account, expressions: Sequence[str] = ()) -> str:
    """A query for the dead letters of the topic in a span, as `rows`.

    Those of every writer, for another insert on the topic may have stored one first. A replayed one
    is accounted for by the row of its writer."""
    selected = ", ".join(["kafka_offset", *expressions])
    return (
        f"SELECT {selected} FROM {account.dead_letters} FINAL WHERE topic = {{topic:String}}"
        f"{_IN_SPAN} AND (replayed_at IS NULL OR inserted_by != {{writer:String}})"
    )


def parameters(account: Account, partition: int, span: Span) -> dict[str, str | int]:
    """The parameters of both queries."""
    return {
        "writer": account.writer,
        "topic": account.topic,
        "partition": partition,
        "start": span.start,
        "end": span.end,
    }


def read(client: Client, account: Account, partition: int, span: Span) -> Accounted:
    """Read a span; the caller splits a large one."""
    values = parameters(account, partition, span)

    def arrays(query: str) -> list[npt.NDArray[Any]]:
        return [column.to_numpy() for column in client.query_arrow(query, values).columns]

    (stored,) = arrays(rows(account))
    is_own = "inserted_by = {writer:String}"
    dead, own, has_record = arrays(dead_letters(account, [is_own, "has_record"]))
    order = np.argsort(dead)
    dead, own, has_record = dead[order], own[order] != 0, has_record[order] != 0
    return Accounted(span, np.sort(stored), dead, dead[own], dead[~has_record])


def replayed(client: Client, account: Account, partition: int, span: Span) -> dict[int, int]:
    """The versions of the dead letters that a replay has stored as rows, by offset."""
    rows = client.query(
        f"SELECT kafka_offset, version FROM {account.dead_letters} FINAL"
        f" WHERE topic = {{topic:String}}{_IN_SPAN} AND replayed_at IS NOT NULL",
        parameters(account, partition, span),
    ).result_rows
    return {offset: version for offset, version in rows}


def findings(client: Client, account: Account, partition: int, span: Span) -> dict[int, Finding]:
    """Stage, reason and writer of the dead letters without record, by offset."""
    query = dead_letters(account, ["stage", "reason", "inserted_by"])
    letters = client.query(
        f"{query} AND NOT has_record", parameters(account, partition, span)
    ).result_rows
    return {offset: (stage, reason, writer) for offset, stage, reason, writer in letters}
