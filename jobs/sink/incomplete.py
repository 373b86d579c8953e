"""Inserts that a table took and a materialized view behind it may lack.

ClickHouse stores rows in the table first and then pushes them into its views, so that a view which
fails leaves rows in the table alone. Sent again under the same deduplication token, they are left
out by the table, and each view takes what it lacks. So token and places are noted: in this process
while an insert is tried, and in ClickHouse, beside the table, when the sink gives it up.
https://clickhouse.com/docs/guides/developer/deduplicating-inserts-on-retries
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from jobs.targets.target import Target
from lib.clickhouse_errors import Code
from lib.errors import SinkError

_CREATE = """
CREATE TABLE IF NOT EXISTS {notes}
(
    writer LowCardinality(String),
    token String,
    ranges Array(Tuple(partition Int64, first_offset Int64, last_offset Int64)),
    is_complete Bool,
    noted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(noted_at)
ORDER BY (writer, token)
COMMENT 'One row per insert whose rows the views of its table may lack.'
"""
_COLUMNS = ("writer", "token", "ranges", "is_complete")

# The views that a table feeds, and whether it leaves out what comes again under the same token.
_VIEWS = """
SELECT
    arrayMap((d, t) -> concat(d, '.', t), dependencies_database, dependencies_table) AS views,
    match(engine, '^(Replicated|Shared)') OR toUInt64(if(
        position(engine_full, 'non_replicated_deduplication_window =') > 0,
        extract(engine_full, 'non_replicated_deduplication_window = ([0-9]+)'),
        (
            SELECT value FROM system.merge_tree_settings
            WHERE name = 'non_replicated_deduplication_window'
        )
    )) > 0 AS leaves_out
FROM system.tables
WHERE database = {database:String} AND name = {relation:String}
"""

# Partition, first and last offset.
Range = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Incomplete:
    """One insert: its deduplication token, and the records that it holds."""

    token: str
    ranges: tuple[Range, ...]

    def is_about(self, partitions: Collection[int]) -> bool:
        """Whether one of its records is of these partitions."""
        return any(partition in partitions for partition, _, _ in self.ranges)

    @property
    def condition(self) -> str:
        """The SQL condition on Kafka's columns that holds for its rows."""
        return " OR ".join(
            f"(kafka_partition = {partition} AND kafka_offset BETWEEN {first} AND {last})"
            for partition, first, last in self.ranges
        )


def _incomplete(token: str, batch: pa.Table) -> Incomplete:
    found = batch.group_by("kafka_partition").aggregate(
        [("kafka_offset", "min"), ("kafka_offset", "max")]
    )
    rows = found.select(["kafka_partition", "kafka_offset_min", "kafka_offset_max"]).to_pylist()
    return Incomplete(token, tuple(sorted(tuple(row.values()) for row in rows)))


def feeds_views(client: Client, target: Target) -> bool:
    """Whether a table feeds materialized views; raise SinkError if it does and does not leave out
    what it gets again under the same token."""
    where = {"database": target.database, "relation": target.relation}
    rows = client.query(_VIEWS, where).result_rows
    views, leaves_out = rows[0] if rows else ([], True)
    if views and not leaves_out:
        raise SinkError(
            f"{target.table}: an insert failed when the table may have had its rows, which "
            f"{', '.join(views)} may lack; fill that from the table, and set "
            "non_replicated_deduplication_window = 1000 on both, so that the sink sends them again."
        )
    return bool(views)


# The batches noted in this process alone, by table and writer, then by token.
_here: defaultdict[tuple[str, str], dict[str, pa.Table]] = defaultdict(dict)


class Notes:
    """The inserts of one writer into a table that are to be sent again."""

    def __init__(self, client: Client, target: Target, writer: str) -> None:
        self._client = client
        self._table = target.beside("incomplete_inserts")
        self._writer = writer
        self._here = _here[target.table, writer]

    @contextmanager
    def held(self, token: str, batch: pa.Table) -> Iterator[None]:
        """Note an insert in this process while it runs, and on if it fails: another attempt, which
        takes over its partitions, sends it again."""
        self._here[token] = batch
        yield
        self.drop(token)

    def drop(self, token: str) -> None:
        """Forget an insert that is complete, or of which nothing is stored."""
        self._here.pop(token, None)

    def keep(self, token: str, batch: pa.Table) -> None:
        """Note an insert in ClickHouse, for when this process has ended."""
        self._client.command(_CREATE.format(notes=self._table))
        self._write(_incomplete(token, batch), is_complete=False)
        self.drop(token)

    def of(self, partitions: Collection[int]) -> list[Incomplete]:
        """The inserts of these partitions that may not be complete, the earliest first: those of
        others may still run here, in an attempt that completes them itself."""
        found = [*self._read(), *(_incomplete(*each) for each in [*self._here.items()])]
        return [note for note in found if note.is_about(partitions)]

    def complete(self, note: Incomplete) -> None:
        """Note that an insert is complete, or that the table no longer has its rows."""
        if note.token not in self._here:
            self._write(note, is_complete=True)
        self.drop(note.token)

    def _read(self) -> list[Incomplete]:
        try:
            rows = self._client.query(
                f"SELECT token, ranges FROM {self._table} FINAL"
                " WHERE writer = {writer:String} AND NOT is_complete ORDER BY noted_at",
                parameters={"writer": self._writer},
            ).result_rows
        except DatabaseError as error:
            if error.code == Code.UNKNOWN_TABLE:
                return []
            raise
        return [Incomplete(token, tuple(_range(each) for each in ranges)) for token, ranges in rows]

    def _write(self, note: Incomplete, *, is_complete: bool) -> None:
        row = [self._writer, note.token, list(note.ranges), is_complete]
        self._client.insert(self._table, [row], _COLUMNS, settings={"async_insert": 0})


def _range(value: dict[str, int] | tuple[int, int, int]) -> Range:
    """A named tuple of ClickHouse, which the client gives as a dictionary or a tuple."""
    partition, first, last = value.values() if isinstance(value, dict) else value
    return partition, first, last
