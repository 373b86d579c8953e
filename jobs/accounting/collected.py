"""The table that says how far each partition is accounted for, for the next run and the audit."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from jobs.accounting.account import Account
from lib.errors import ServiceError
from lib.kafka import Span

_SCHEMA = pa.schema(
    {
        "writer": pa.string(),
        "topic": pa.string(),
        "topic_id": pa.string(),
        "kafka_partition": pa.int32(),
        "collected_from": pa.int64(),
        "collected_to": pa.int64(),
        "lost": pa.list_(pa.struct({"first_offset": pa.int64(), "last_offset": pa.int64()})),
    }
)


@dataclass(frozen=True, slots=True)
class Collected:
    """Each record in `span` is accounted for except `lost`, which Kafka had deleted before."""

    span: Span
    lost: tuple[Span, ...] = ()


def table(database: str) -> str:
    """The name of the table in the database of the migrations."""
    return f"{database}.collected_offsets"


def check(client: Client, database: str) -> None:
    """Raise ServiceError if the table does not exist."""
    if not client.command(f"EXISTS TABLE {table(database)}"):
        raise ServiceError(f"ClickHouse has no table {table(database)}; run `make migrate`.")


def read(client: Client, database: str, account: Account, topic_id: str) -> dict[int, Collected]:
    """What is accounted for, by partition, without those that no run has begun with."""
    rows = client.query(
        f"SELECT kafka_partition, collected_from, collected_to, lost FROM {table(database)} FINAL"
        " WHERE writer = {writer:String} AND topic_id = {topic_id:UUID}",
        parameters={"writer": account.writer, "topic_id": topic_id},
    ).result_rows
    return {
        partition: Collected(
            Span(first, to), tuple(Span(low, high + 1) for low, high in map(_pair, lost))
        )
        for partition, first, to, lost in rows
    }


def _pair(lost: Mapping[str, int]) -> tuple[int, int]:
    return lost["first_offset"], lost["last_offset"]


def write(
    client: Client,
    database: str,
    account: Account,
    topic_id: str,
    partitions: Mapping[int, Collected],
) -> None:
    """Note how far these partitions are accounted for."""
    rows = [
        {
            "writer": account.writer,
            "topic": account.topic,
            "topic_id": str(uuid.UUID(topic_id)),
            "kafka_partition": partition,
            "collected_from": collected.span.start,
            "collected_to": collected.span.end,
            "lost": [
                {"first_offset": lost.start, "last_offset": lost.end - 1} for lost in collected.lost
            ],
        }
        for partition, collected in partitions.items()
    ]
    client.insert_arrow(
        table(database), pa.Table.from_pylist(rows, _SCHEMA), settings={"async_insert": 0}
    )
