"""One writer's inserts into one ClickHouse table: each batch once, whole, in order."""

import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from jobs.sink import insert_policy, views
from jobs.sink.batch import Batch, Int64s
from jobs.sink.incomplete import Notes
from jobs.sink.insert_policy import RefusedInsertError
from jobs.targets import table as tables
from jobs.targets import types
from jobs.targets.target import Target
from lib.errors import SinkError

# How long a new attempt waits for the inserts of earlier ones: the client's limit for an answer.
EARLIER_LIMIT = 60.0


class LostError(Exception):
    """ClickHouse took a batch that it was sent again for stored, and has not stored it: killed
    between noting the token and keeping the part. Flink must send the rows under another token."""


class Store:
    """Reads and writes one target table for one writer, named job/name.

    `attempt` is unique to one life of one sink instance; it makes the ids of its inserts unique."""

    def __init__(self, client: Client, target: Target, writer: str, attempt: str) -> None:
        self.target = target
        self.writer = writer
        self._client = client
        self._prefix = f"{writer}/{attempt}"
        self._batches = 0
        self._notes = Notes(client, target, writer)
        table = tables.read(client, target)
        if problems := tables.problems(table, target):
            raise SinkError(*problems)
        self.columns = tables.columns(table, target)
        self.schema = types.schema(self.columns)

    def own_values(self) -> list[str]:
        """The values of the columns that the sink fills by itself, which come after those of the
        target; the same for each row of a batch."""
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
        own = {"inserted_by": self.writer, "received_at": now}
        return [own[column.name] for column in self.columns[len(self.target.columns) :]]

    def wait_for_earlier(self) -> None:
        """Return when every insert of this writer that runs now has ended: offsets read after this
        cover whatever an earlier attempt still had on its way."""
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
            parameters={"prefix": f"{self.writer}/"},
        ).result_rows
        return {row[0] for row in rows}

    def complete_earlier(self, partitions: Collection[int]) -> None:
        """Send again what earlier attempts stored of these partitions in the table and maybe not in
        its views; raise as `insert` does. Call wait_for_earlier before."""
        self._notes.send_again(partitions, self.schema.names, self._prefix)

    def stored_offsets(self) -> dict[int, int]:
        """The highest offset stored by this writer, by partition."""
        rows = self._client.query(
            f"SELECT kafka_partition, max(kafka_offset) FROM {self.target.table}"
            " WHERE inserted_by = {writer:String} GROUP BY kafka_partition",
            parameters={"writer": self.writer},
        ).result_rows
        return {row[0]: row[1] for row in rows}

    def stored_times(self, partition: int, low: int, high: int) -> tuple[Int64s, Int64s]:
        """The offsets of the rows stored in [low, high], ascending, and the Kafka timestamp of each
        (ms since 1970)."""
        table = self._client.query_arrow(
            "SELECT DISTINCT toInt64(kafka_offset) AS at,"
            " toUnixTimestamp64Milli(toDateTime64(kafka_timestamp, 3))"
            f" FROM {self.target.table} WHERE kafka_partition = {{p:Int64}}"
            " AND kafka_offset BETWEEN {low:Int64} AND {high:Int64}"
            " AND inserted_by = {writer:String} ORDER BY at",
            parameters={"p": partition, "low": low, "high": high, "writer": self.writer},
        )
        offsets, times = (column.to_numpy() for column in table.columns)
        return offsets, times

    def remove(self, partition: int, offset: int) -> bool:
        """Remove what this writer stored of a record; return whether there was anything."""
        offsets, _ = self.stored_times(partition, offset, offset)
        if len(offsets):
            # Not a lightweight DELETE, which a table with a projection refuses.
            self._client.command(
                f"ALTER TABLE {self.target.table} DELETE WHERE kafka_partition = {{p:Int64}}"
                " AND kafka_offset = {offset:Int64} AND inserted_by = {writer:String}",
                parameters={"p": partition, "offset": offset, "writer": self.writer},
                settings={"mutations_sync": 2},
            )
        return len(offsets) > 0

    def insert(self, batch: Batch, guard: Callable[[], AbstractContextManager[None]]) -> None:
        """Store a batch whole, in the table and its views, and return when it is stored. Tried
        again while the failure may pass, under one deduplication token; raise SinkError for a
        refusal, else the last failure after RETRY_LIMIT. What views may lack then is noted."""
        self._batches += 1
        token = f"{self._prefix}/{self._batches}"
        try:
            for one_try in insert_policy.retrying():
                with one_try, guard(), self._notes.noted(token, batch):
                    self._try(batch, token, one_try.retry_state.attempt_number)
        except RefusedInsertError as error:
            if error.is_about_values:
                # Refused before anything was stored.
                self._notes.drop(token)
            else:
                self._keep_note(batch, token)
            raise
        except Exception:
            self._keep_note(batch, token)
            raise

    def _try(self, batch: Batch, token: str, number: int) -> None:
        if (
            number > 1
            and self._is_stored(batch)
            and not views.feeds_views(self._client, self.target)
        ):
            return
        self._insert_once(batch, token, f"{token}/{number}")
        if number > 1 and self.target.is_tracked and not self._is_stored(batch):
            raise LostError(f"{self.target.table}: {token} is known, its rows are not")

    def _keep_note(self, batch: Batch, token: str) -> None:
        """Keep the note of a batch that failed unless it is known to be in the table and the views,
        or in none: a new attempt leaves out what the table has, and views would never get it."""
        try:
            if self._is_stored(batch) and views.feeds_views(self._client, self.target):
                self._notes.keep(token, batch)
            else:
                self._notes.drop(token)
        except (ClickHouseError, OSError):
            # Unknown: the note in this process stays, and the next attempt checks.
            return

    def _is_stored(self, batch: Batch) -> bool:
        """Whether an earlier try stored the batch, its answer lost; False if it is not tracked."""
        if not self.target.is_tracked:
            return False
        self.wait_for_earlier()
        stored = self.stored_offsets()
        return all(stored.get(p, -1) >= last for p, (_, last) in batch.ranges().items())

    def _insert_once(self, batch: Batch, token: str, query_id: str) -> None:
        with insert_policy.explained(self.target.table):
            settings = insert_policy.settings(token, query_id)
            # In one piece, for each would be a block of its own.
            table = batch.table.combine_chunks()
            self._client.insert_arrow(self.target.table, table, settings=settings)
