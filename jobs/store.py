"""One writer's inserts into one ClickHouse table: each batch once, whole, in order."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from jobs import columns
from jobs.columns import Column
from jobs.target import Target
from lib.errors import SinkError, one_line

# How long an insert is tried before Flink is told, which starts again from the last checkpoint,
# in seconds: enough for a restart of ClickHouse, and stopping the job never hangs.
RETRY_LIMIT = 20.0

# How long a new attempt waits for the inserts of earlier ones: the client's limit for an answer.
EARLIER_LIMIT = 60.0

# What the sink says of each row, if the table has a column for it and the target does not name it:
# who stored it, so that several writers share a table, and when the sink got it.
OWN_COLUMNS = ("inserted_by", "received_at")

# ClickHouse's error codes that the user must mend, so that trying again cannot help: unknown table,
# database, column; wrong type or value; a constraint; access; read-only; an unknown setting.
_REFUSALS = {6, 8, 10, 16, 20, 36, 38, 41, 43, 44, 48, 50, 53, 60, 62, 69, 70, 72, 81}
_REFUSALS |= {115, 117, 131, 164, 192, 193, 194, 349, 407, 469, 497, 516, 691}

_PLAIN_INSERT = {
    # The answer comes when the rows are stored, not when they are queued.
    "async_insert": 0,
    # A value that is missing is an error here, never a default.
    "input_format_null_as_default": 0,
    "input_format_arrow_allow_missing_columns": 0,
    # One insert is one part: stored whole or not at all.
    "max_insert_block_size": 10_000_000,
    "min_insert_block_size_rows": 10_000_000,
    "min_insert_block_size_bytes": 0,
    # A part of few rows is read whole at no cost; merges make its indexes.
    "materialize_skip_indexes_on_insert": 0,
    # A batch that is sent again reaches a materialized view that it did not reach before.
    "deduplicate_blocks_in_dependent_materialized_views": 1,
}


class LostError(Exception):
    """ClickHouse took a batch that it was sent again for stored, and has not stored it: killed
    between noting the token and keeping the part. Flink must send the rows under another token."""


class Store:
    """Reads and writes one target table for one writer, named job/name.

    `attempt` is unique to one life of one sink instance; it makes the ids of its inserts unique."""

    def __init__(self, client: Client, target: Target, writer: str, attempt: str) -> None:
        self._client = client
        self._target = target
        self._writer = writer
        self._prefix = f"{writer}/{attempt}"
        self._batches = 0
        self.columns = self._read_columns()
        self.schema = columns.schema(self.columns)
        if target.is_tracked:
            self._check_tracked()

    def _read_columns(self) -> Sequence[Column]:
        """The target's columns as the table has them; raise SinkError for what does not fit."""
        database, table = self._target.table.split(".")
        rows = self._client.query(
            "SELECT name, type FROM system.columns"
            " WHERE database = {d:String} AND table = {t:String}",
            parameters={"d": database, "t": table},
        ).result_rows
        types: dict[str, str] = {row[0]: row[1] for row in rows}
        if not types:
            raise SinkError(
                f"{self._target.table}: table not found in ClickHouse; "
                "add a new file to sql/clickhouse that makes it, then run `make migrate`."
            )
        for name in self._target.columns:
            if name not in types:
                raise SinkError(
                    f"{self._target.table}: has no column {name} (it has {', '.join(types)}); "
                    "mend the target, or add the column in a new file of sql/clickhouse."
                )
        own = [name for name in OWN_COLUMNS if name in types and name not in self._target.columns]
        return [columns.column(name, types[name]) for name in (*self._target.columns, *own)]

    def _check_tracked(self) -> None:
        """Raise SinkError for a table in which a mark would not say what is stored."""
        where = self._target.table
        for column in self.columns:
            is_place = column.name in ("kafka_partition", "kafka_offset")
            if is_place and (column.is_nullable or not pa.types.is_integer(column.arrow)):
                raise SinkError(
                    f"{where}: column {column.name} is not a plain integer; make it an Int64."
                )
        if not any(_is_kafka_timestamp(column) for column in self.columns):
            raise SinkError(
                f"{where}: the target names no kafka_timestamp that is a time, by which a topic "
                "that was recreated is noticed; add kafka_timestamp DateTime64(3, 'UTC') to table "
                "and target."
            )
        if "inserted_by" not in self.own_columns:
            raise SinkError(
                f"{where}: nothing says who stored a row; add a column inserted_by "
                "LowCardinality(String) to the table, and leave it out of the target."
            )
        key = self._client.query(
            "SELECT any(partition_key) FROM system.tables"
            " WHERE concat(database, '.', name) = {table:String}",
            parameters={"table": where},
        ).result_rows[0][0]
        if key:
            raise SinkError(
                f"{where}: has PARTITION BY {key}, so that an insert is several parts, of which a "
                "crash may leave some; make the table without it."
            )

    @property
    def own_columns(self) -> list[str]:
        """The columns that the sink fills by itself, behind those of the target."""
        return [column.name for column in self.columns[len(self._target.columns) :]]

    def wait_for_earlier(self) -> None:
        """Return when every insert of this writer that runs now has ended: a mark read after this
        covers whatever an earlier attempt still had on its way."""
        running = self._running()
        deadline = time.monotonic() + EARLIER_LIMIT
        while running:
            if time.monotonic() > deadline:
                raise TimeoutError(f"inserts still run in ClickHouse: {', '.join(sorted(running))}")
            time.sleep(0.05)
            running &= self._running()

    def _running(self) -> set[str]:
        # By log_comment, which equals our query id: the embedded engine gives its own ids.
        rows = self._client.query(
            "SELECT Settings['log_comment'] FROM system.processes"
            " WHERE startsWith(Settings['log_comment'], {prefix:String})",
            parameters={"prefix": f"{self._writer}/"},
        ).result_rows
        return {row[0] for row in rows}

    def marks(self) -> dict[int, int]:
        """The highest offset stored by this writer, by partition."""
        rows = self._client.query(
            f"SELECT kafka_partition, max(kafka_offset) FROM {self._target.table}"
            " WHERE inserted_by = {writer:String} GROUP BY kafka_partition",
            parameters={"writer": self._writer},
        ).result_rows
        return {row[0]: row[1] for row in rows}

    def stored_times(self, partition: int, low: int, high: int) -> dict[int, int]:
        """Offset to Kafka timestamp (ms since 1970) of the rows stored in [low, high]."""
        rows = self._client.query(
            "SELECT kafka_offset, toUnixTimestamp64Milli(toDateTime64(kafka_timestamp, 3))"
            f" FROM {self._target.table} WHERE kafka_partition = {{p:Int64}}"
            " AND kafka_offset BETWEEN {low:Int64} AND {high:Int64}"
            " AND inserted_by = {writer:String}",
            parameters={"p": partition, "low": low, "high": high, "writer": self._writer},
        ).result_rows
        return {row[0]: row[1] for row in rows}

    def insert(self, batch: pa.Table, guard: Callable[[], AbstractContextManager[None]]) -> None:
        """Store a batch whole and return when it is stored. Tried again while ClickHouse is away,
        under one deduplication token; raise SinkError for a refusal, else the last failure after
        RETRY_LIMIT."""
        self._batches += 1
        token = f"{self._prefix}/{self._batches}"
        for one_try in Retrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_delay(RETRY_LIMIT),
            wait=wait_random_exponential(multiplier=0.1, max=3),
            reraise=True,
        ):
            with one_try, guard():
                number = one_try.retry_state.attempt_number
                if number > 1 and self._is_stored(batch):
                    return
                self._insert_once(batch, token, f"{token}/{number}")
                if number > 1 and self._target.is_tracked and not self._is_stored(batch):
                    raise LostError(f"{self._target.table}: {token} is known, its rows are not")

    def _is_stored(self, batch: pa.Table) -> bool:
        """Whether an earlier try stored the batch, its answer lost; False where none can see."""
        if not self._target.is_tracked:
            return False
        self.wait_for_earlier()
        marks = self.marks()
        last = batch.group_by("kafka_partition").aggregate([("kafka_offset", "max")])
        return all(
            marks.get(row["kafka_partition"], -1) >= row["kafka_offset_max"]
            for row in last.to_pylist()
        )

    def _insert_once(self, batch: pa.Table, token: str, query_id: str) -> None:
        settings = {
            **_PLAIN_INSERT,
            "query_id": query_id,
            "log_comment": query_id,
            "insert_deduplication_token": token,
        }
        try:
            self._client.insert_arrow(self._target.table, batch, settings=settings)
        except DatabaseError as error:
            if error.code in _REFUSALS:
                raise SinkError(
                    f"{self._target.table}: ClickHouse refuses the rows: {one_line(error)}; "
                    "mend the table, or what the job's SQL selects."
                ) from error
            raise


def _is_kafka_timestamp(column: Column) -> bool:
    return column.name == "kafka_timestamp" and pa.types.is_timestamp(column.arrow)


def _may_pass(error: BaseException) -> bool:
    """Whether ClickHouse was away or overloaded, so that the same insert may succeed later."""
    return isinstance(error, ClickHouseError | OSError)
