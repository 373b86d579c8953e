"""Inserts that a table took and a materialized view behind it may lack: noted, and sent again.

ClickHouse stores rows in the table first and then pushes them into its views, so that a view which
fails leaves rows in the table alone. Sent again under the same deduplication token, they are left
out by the table, and each view takes what it lacks. So token and offsets are noted: in this process
while an insert is tried, and in ClickHouse, beside the table, when the sink gives it up.
https://clickhouse.com/docs/guides/developer/deduplicating-inserts-on-retries
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from jobs.sink import insert_policy, views
from jobs.sink.batch import Batch
from jobs.targets.target import Target
from lib.clickhouse_errors import Code
from lib.quoting import quote_name

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

# Partition, first and last offset.
Range = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Incomplete:
    """One insert: its deduplication token, and the records that it holds."""

    token: str
    ranges: tuple[Range, ...]

    @classmethod
    def of(cls, token: str, batch: Batch) -> "Incomplete":
        """The insert of a batch."""
        return cls(token, tuple((p, *ends) for p, ends in batch.ranges().items()))

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


# The batches noted in this process alone, by table and writer, then by token.
_here: defaultdict[tuple[str, str], dict[str, Batch]] = defaultdict(dict)


class Notes:
    """The inserts of one writer into a table that are to be sent again."""

    def __init__(self, client: Client, target: Target, writer: str) -> None:
        self._client = client
        self._target = target
        self._table = target.beside("incomplete_inserts")
        self._writer = writer
        self._here = _here[target.table, writer]

    @contextmanager
    def noted(self, token: str, batch: Batch) -> Iterator[None]:
        """Note an insert in this process while it runs, and after that if it fails: another
        attempt, which takes over its partitions, sends it again."""
        self._here[token] = batch
        yield
        self.drop(token)

    def drop(self, token: str) -> None:
        """Forget an insert that is complete, or of which nothing is stored."""
        self._here.pop(token, None)

    def keep(self, token: str, batch: Batch) -> None:
        """Note an insert in ClickHouse, for when this process has ended."""
        self._write(Incomplete.of(token, batch), is_complete=False)
        self.drop(token)

    def of(self, partitions: Collection[int]) -> list[Incomplete]:
        """The inserts of these partitions that may not be complete, the earliest first: those of
        others may still run here, in an attempt that completes them itself."""
        notes = [*self._read(), *(Incomplete.of(*each) for each in [*self._here.items()])]
        return [note for note in notes if note.is_about(partitions)]

    def send_again(self, partitions: Collection[int], columns: Sequence[str], prefix: str) -> None:
        """Send again what the table has of the inserts of these partitions, so that its views get
        it; raise SinkError for a refusal, else the last failure after RETRY_LIMIT. `prefix` begins
        the ids of these inserts."""
        for note in self.of(partitions):
            rows = self._stored(note, columns)
            if rows and views.feeds_views(self._client, self._target):
                for one_try in insert_policy.retrying():
                    with one_try, insert_policy.explained(self._target.table):
                        number = one_try.retry_state.attempt_number
                        settings = insert_policy.settings(note.token, f"{prefix}/again/{number}")
                        self._client.raw_insert(
                            self._target.table, columns, rows, settings=settings, fmt="RowBinary"
                        )
            self._complete(note)

    def _stored(self, note: Incomplete, columns: Sequence[str]) -> bytes:
        """The rows of an insert as the table has them, in RowBinary; empty if it has none."""
        return self._client.raw_query(
            f"SELECT {', '.join(map(quote_name, columns))} FROM {self._target.table}"
            f" WHERE inserted_by = {{writer:String}} AND ({note.condition})"
            " LIMIT 1 BY kafka_partition, kafka_offset",
            parameters={"writer": self._writer},
            fmt="RowBinary",
        )

    def _complete(self, note: Incomplete) -> None:
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
        return [Incomplete(token, tuple(map(_range, ranges))) for token, ranges in rows]

    def _write(self, note: Incomplete, *, is_complete: bool) -> None:
        # Also for a note that another attempt has just dropped from this process.
        self._client.command(_CREATE.format(notes=self._table))
        row = [self._writer, note.token, list(note.ranges), is_complete]
        self._client.insert(self._table, [row], _COLUMNS, settings={"async_insert": 0})


def _range(value: dict[str, int] | Range) -> Range:
    """A named tuple of ClickHouse, which the client gives as a dictionary or a tuple."""
    partition, first, last = value.values() if isinstance(value, dict) else value
    return partition, first, last
