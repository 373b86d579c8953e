"""A table in ClickHouse that the sink fills, and whether a target fits it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from jobs.targets import engine, types
from jobs.targets.engine import Engine
from jobs.targets.target import PLACE, Target
from jobs.targets.types import Column
from lib.errors import JobError

# The columns that the sink fills by itself if the table has them and the target does not name them:
# the writer of the row, so that several share a table, and the time at which the sink received it.
OWN_COLUMNS = ("inserted_by", "received_at")


@dataclass(frozen=True, slots=True)
class Table:
    """The types of the columns that an insert may fill, of the others, the partition key, and the
    engine."""

    types: Mapping[str, str]
    computed: Mapping[str, str]
    partition_key: str
    engine: Engine


def read(client: Client, target: Target) -> Table:
    """A target's table as ClickHouse describes it; without any column if it does not exist."""
    where = {"d": target.database, "t": target.relation}
    rows = client.query(
        "SELECT name, type, default_kind IN ('MATERIALIZED', 'ALIAS'), is_in_sorting_key,"
        " is_in_partition_key FROM system.columns"
        " WHERE database = {d:String} AND table = {t:String}",
        parameters=where,
    ).result_rows
    partition_key, name, full, key = client.query(
        "SELECT any(partition_key), any(engine), any(engine_full), any(sorting_key)"
        " FROM system.tables WHERE database = {d:String} AND name = {t:String}",
        parameters=where,
    ).result_rows[0]
    filled, computed = ({n: kind for n, kind, c, *_ in rows if c == which} for which in (0, 1))
    sorting, partition = ([row[0] for row in rows if row[which]] for which in (3, 4))
    own = engine.of(name, full, key, sorting, partition)
    return Table(filled, computed, partition_key, own)


def names(table: Table, target: Target) -> Sequence[str]:
    """The columns that an insert fills: the target's, then the sink's own."""
    own = [name for name in OWN_COLUMNS if name in table.types and name not in target.columns]
    return [*target.columns, *own]


def columns(table: Table, target: Target) -> Sequence[Column]:
    """The columns that an insert fills; raise JobError for one whose type it cannot fill."""
    return [types.column(name, table.types[name]) for name in names(table, target)]


def problems(table: Table, target: Target) -> list[str]:
    """All reasons why the sink cannot fill the table, each with a remedy."""
    if not table.types:
        return [
            f"{target.table}: table not found in ClickHouse; "
            "add a new file to sql/clickhouse that makes it, then run `make migrate`."
        ]
    facts = [*_columns_missing(table, target)]
    known = {}
    for name in names(table, target):
        match fillable(table, name):
            case str() as problem:
                facts.append(f"{target.table}: {problem}")
            case Column() as column:
                known[name] = column
    if target.is_tracked:
        facts += _not_tracked(table, target, known)
    return facts


def fillable(table: Table, name: str) -> Column | str | None:
    """A column, or why it cannot be filled, or None if it does not exist."""
    try:
        return types.column(name, table.types[name]) if name in table.types else None
    except JobError as error:
        return str(error)


def wrong_number(target: Target, values: int) -> str:
    """The problem that a target has not as many columns as values."""
    return (
        f"{target.table}: {values} values for {len(target.values)} columns; "
        "give one value for each column named."
    )


def _columns_missing(table: Table, target: Target) -> Iterator[str]:
    missing = [name for name in target.columns if name not in {**table.types, **table.computed}]
    if missing:
        yield (
            f"{target.table}: has no column {' and no column '.join(missing)} (it has "
            f"{', '.join(table.types)}); fix the target, or add the column in a new file of "
            "sql/clickhouse."
        )
    for name in target.columns:
        if name in table.computed:
            yield (
                f"{target.table}: ClickHouse computes column {name} by itself (MATERIALIZED or "
                "ALIAS); leave it out of the target."
            )


def _not_tracked(table: Table, target: Target, known: Mapping[str, Column]) -> Iterator[str]:
    """Why the offsets in this table would not show which records are stored."""
    for name in PLACE:
        if name in known and (
            known[name].is_nullable or not pa.types.is_integer(known[name].arrow)
        ):
            yield f"{target.table}: column {name} is not a plain integer; make it an Int64."
    time = known.get("kafka_timestamp")
    if "kafka_timestamp" not in target.columns or (time and not pa.types.is_timestamp(time.arrow)):
        yield (
            f"{target.table}: the target names no kafka_timestamp that is a time, by which a topic "
            "that was recreated is noticed; add kafka_timestamp DateTime64(3, 'UTC') to table "
            "and target."
        )
    if "inserted_by" not in table.types or "inserted_by" in target.columns:
        yield (
            f"{target.table}: no column names the writer of a row; add inserted_by "
            "LowCardinality(String) to the table, and leave it out of the target."
        )
    if table.partition_key:
        yield (
            f"{target.table}: has PARTITION BY {table.partition_key}, so that an insert is several "
            "parts, of which a crash may leave some; make the table without it."
        )
