"""The store with a real ClickHouse: which inserts it refuses or retries, and what is stored."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from jobs.sink import insert_policy, store
from jobs.sink.batch import Batch
from jobs.sink.store import LostError, Store
from jobs.targets.target import parse
from lib import clickhouse as connections
from lib.errors import SinkError
from lib.settings import ClickHouse
from tests.conftest import Held, Server, wait_until

COLUMNS = "(n, kafka_partition, kafka_offset, kafka_timestamp)"
CREATE = (
    "CREATE TABLE {table} (n Int64, kafka_partition Int32, kafka_offset Int64,"
    " inserted_by LowCardinality(String), kafka_timestamp DateTime64(3, 'UTC') DEFAULT 0 {more})"
    " ENGINE = MergeTree ORDER BY kafka_offset SETTINGS non_replicated_deduplication_window = 100"
)


def make(client: Client, table: str, more: str = "") -> None:
    client.command(CREATE.format(table=table, more=more))


def batch(offsets: range, partition: int = 0, writer: str = "job/t") -> Batch:
    size = len(offsets)
    columns = {
        "n": pa.array(offsets, pa.int64()),
        "kafka_partition": pa.array([partition] * size, pa.int32()),
        "kafka_offset": pa.array(offsets, pa.int64()),
        "kafka_timestamp": pa.array([0] * size, pa.timestamp("ms", "UTC")),
        "inserted_by": pa.array([writer] * size),
    }
    return Batch.of(pa.table(columns))


def open_store(client: Any, table: str, writer: str = "job/t", attempt: str = "a") -> Store:
    return Store(client, parse(f"{table} {COLUMNS}"), writer, attempt)


def count(client: Client, table: str) -> tuple[int, int]:
    """The number of rows, and of different offsets among them."""
    query = f"SELECT count(), uniqExact(kafka_partition, kafka_offset) FROM {table}"
    rows, places = client.query(query).result_rows[0]
    return rows, places


def test_a_batch_that_is_sent_again_reaches_a_view_that_it_did_not_reach(
    client: Client, database: str
) -> None:
    table = f"{database}.t"
    make(client, table)
    client.command(
        f"CREATE TABLE {database}.sums (n Int64) ENGINE = SummingMergeTree ORDER BY tuple()"
        " SETTINGS non_replicated_deduplication_window = 100"
    )
    view = f"CREATE MATERIALIZED VIEW {database}.v TO {database}.sums AS SELECT sum(n) AS n FROM"
    store = open_store(client, table)
    # As if the view's part had been lost: the view comes between the two.
    store._insert_once(batch(range(1, 4)), "token", "1")
    client.command(f"{view} {table}")
    for number in "23":
        store._insert_once(batch(range(1, 4)), "token", number)
    assert count(client, table) == (3, 3)
    assert client.command(f"SELECT sum(n) FROM {database}.sums") == 6


class Flaky:
    """A client in front of a real one; an event happens on the way of each insert."""

    def __init__(self, client: Client, *events: Any) -> None:
        self._client = client
        self._events = list(events)
        self.tokens: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def insert_arrow(self, table: str, rows: pa.Table, settings: dict[str, Any]) -> None:
        self.tokens.append(settings["insert_deduplication_token"])
        event = self._events.pop(0) if self._events else None
        if event:
            event(lambda: self._client.insert_arrow(table, rows, settings=settings), settings)
        else:
            self._client.insert_arrow(table, rows, settings=settings)


def refuse_connection(insert: Any, settings: Any) -> None:
    raise OperationalError("connection refused")


def lose_answer(insert: Any, settings: Any) -> None:
    insert()
    raise OperationalError("read timed out")


@pytest.fixture
def table(client: Client, database: str) -> str:
    make(client, f"{database}.t")
    return f"{database}.t"


@pytest.mark.parametrize(
    ("events", "tries"),
    [
        ([refuse_connection], 2),
        ([lose_answer], 1),
        ([refuse_connection, lose_answer], 2),
        ([lose_answer, refuse_connection], 1),
    ],
)
def test_a_batch_is_stored_once_however_its_attempts_end(
    client: Client, table: str, events: list[Any], tries: int
) -> None:
    flaky = Flaky(client, *events)
    open_store(flaky, table).insert(batch(range(10)), nullcontext)
    assert count(client, table) == (10, 10)
    assert len(flaky.tokens) == tries and len(set(flaky.tokens)) == 1


def test_a_lost_answer_is_detected_without_a_deduplication_window(
    client: Client, table: str
) -> None:
    client.command(f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 0")
    open_store(Flaky(client, lose_answer), table).insert(batch(range(10)), nullcontext)
    assert count(client, table) == (10, 10)


def test_rows_that_are_not_stored_although_their_token_is_known_are_an_error(
    client: Client, table: str
) -> None:
    def note_token_only(insert: Any, settings: dict[str, Any]) -> None:
        # As a server killed between its note of the token and its part leaves it.
        client.insert_arrow(table, batch(range(900, 901), partition=9).table, settings=settings)
        raise OperationalError("connection reset")

    with pytest.raises(LostError, match="its rows are not"):
        open_store(Flaky(client, note_token_only), table).insert(batch(range(10)), nullcontext)
    open_store(client, table, attempt="b").insert(batch(range(10)), nullcontext)
    assert count(client, table) == (11, 11)


def test_batches_with_equal_rows_have_tokens_of_their_own(client: Client, table: str) -> None:
    flaky = Flaky(client)
    for attempt in ("a", "b"):
        store = open_store(flaky, table, attempt=attempt)
        store.insert(batch(range(5)), nullcontext)
        store.insert(batch(range(5)), nullcontext)
    assert len(set(flaky.tokens)) == 4
    assert count(client, table) == (20, 5)


def refusal(client: Client, table: str, rows: Batch, change: str) -> str:
    flaky = Flaky(client)
    store = open_store(flaky, table)
    client.command(change)
    with pytest.raises(SinkError) as error:
        store.insert(rows, nullcontext)
    assert len(flaky.tokens) == 1, "a refusal must not be retried"
    text = str(error.value)
    assert text.startswith(f"{table}: ClickHouse refuses the rows: ") and "\n" not in text
    assert text.endswith(
        "; fix the table or the view that it names, or what the job's SQL selects."
    )
    return text


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ("DROP TABLE {table}", "UNKNOWN_TABLE"),
        ("ALTER TABLE {table} DROP COLUMN n", "NO_SUCH_COLUMN_IN_TABLE"),
    ],
)
def test_a_failure_that_a_user_must_fix_is_refused_at_once(
    client: Client, table: str, change: str, fact: str
) -> None:
    assert fact in refusal(client, table, batch(range(10)), change.format(table=table))


def test_a_dropped_database_is_refused_at_once(client: Client, table: str) -> None:
    database = table.split(".")[0]
    assert "UNKNOWN_DATABASE" in refusal(
        client, table, batch(range(1)), f"DROP DATABASE {database}"
    )


def test_an_unknown_user_is_refused_at_once(
    client: Client, clickhouse: ClickHouse, table: str
) -> None:
    stranger = connections.connect(clickhouse)
    store = open_store(stranger, table)
    stranger.headers["X-ClickHouse-User"] = "stranger"
    stranger.headers.pop("Authorization", None)
    with pytest.raises(SinkError, match="AUTHENTICATION_FAILED"):
        store.insert(batch(range(1)), nullcontext)


def test_a_transient_failure_is_raised_unchanged_after_the_limit(
    client: Client, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insert_policy, "RETRY_LIMIT", 0.5)
    flaky = Flaky(client, *[refuse_connection] * 100)
    with pytest.raises(OperationalError, match="connection refused"):
        open_store(flaky, table).insert(batch(range(1)), nullcontext)
    assert len(flaky.tokens) > 1


def test_too_many_parts_is_transient(client: Client, table: str) -> None:
    def too_many(insert: Any, settings: Any) -> None:
        raise DatabaseError("Too many parts", code=252)

    open_store(Flaky(client, too_many), table).insert(batch(range(3)), nullcontext)
    assert count(client, table) == (3, 3)


def test_each_retry_enters_its_guard_and_a_bug_is_not_retried(client: Client, table: str) -> None:
    entered = []

    @contextmanager
    def guard() -> Iterator[None]:
        entered.append(1)
        if len(entered) == 2:
            raise ZeroDivisionError
        yield

    with pytest.raises(ZeroDivisionError):
        open_store(Flaky(client, refuse_connection), table).insert(batch(range(1)), guard)
    assert len(entered) == 2 and count(client, table) == (0, 0)


def test_rows_are_stored_once_though_the_server_is_killed_and_started_again(
    mortal: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A slow machine takes its time to start a server.
    monkeypatch.setattr(insert_policy, "RETRY_LIMIT", 150.0)
    starting = threading.Thread(target=mortal.start)
    client = connections.connect(mortal.settings, compress=False)
    client.command("CREATE DATABASE d")
    make(client, "d.t")
    store = open_store(client, "d.t")
    store.insert(batch(range(10)), nullcontext)

    def kill_after(insert: Any, settings: Any) -> None:
        insert()
        mortal.kill()
        starting.start()
        raise OperationalError("connection reset")

    flaky = Flaky(client, kill_after)
    open_store(flaky, "d.t", attempt="b").insert(batch(range(10, 20)), nullcontext)
    # The thread must have seen the server answer before that is killed again.
    starting.join()
    mortal.kill()
    starting = threading.Timer(1.0, mortal.start)
    starting.start()
    store.insert(batch(range(20, 30)), nullcontext)
    starting.join()
    assert count(client, "d.t") == (30, 30)


def test_one_insert_is_one_part(client: Client, table: str) -> None:
    client.command(f"SYSTEM STOP MERGES {table}")
    open_store(client, table).insert(batch(range(20_000)), nullcontext)
    parts = (
        "SELECT rows FROM system.parts WHERE active AND concat(database, '.', table) = {t:String}"
    )
    assert client.query(parts, {"t": table}).result_rows == [(20_000,)]


def test_stored_offsets_are_the_highest_of_each_partition(client: Client, table: str) -> None:
    store = open_store(client, table)
    assert store.stored_offsets() == {}
    store.insert(batch(range(5, 9)), nullcontext)
    store.insert(batch(range(3), partition=7), nullcontext)
    assert store.stored_offsets() == {0: 8, 7: 2}


def test_stored_offsets_are_those_of_one_writer(client: Client, database: str) -> None:
    table = f"{database}.t"
    make(client, table)
    first, second = (open_store(client, table, writer) for writer in ("job/t", "job/t2"))
    first.insert(batch(range(10), writer="job/t"), nullcontext)
    second.insert(batch(range(4), writer="job/t2"), nullcontext)
    assert (first.stored_offsets(), second.stored_offsets()) == ({0: 9}, {0: 3})
    assert second.stored_times(0, 0, 9)[0].tolist() == [*range(4)]


def test_stored_times_are_milliseconds_of_the_requested_offsets(
    client: Client, database: str
) -> None:
    for number, kind in enumerate(["DateTime64(3, 'UTC')", "DateTime('UTC')", "DateTime64(6)"]):
        table = f"{database}.t{number}"
        client.command(
            f"CREATE TABLE {table} (n Int64, kafka_partition Int32, kafka_offset Int64,"
            f" kafka_timestamp {kind}, inserted_by String) ENGINE = MergeTree ORDER BY tuple()"
        )
        moment = datetime(2024, 1, 1, tzinfo=UTC)
        client.insert(table, [[1, 0, offset, moment, "job/t"] for offset in range(5)])
        offsets, times = open_store(client, table).stored_times(0, 1, 3)
        assert offsets.tolist() == [1, 2, 3]
        assert times.tolist() == [int(moment.timestamp() * 1000)] * 3


@pytest.fixture
def inserting(
    client: Client, clickhouse: ClickHouse, table: str, held: Held
) -> Iterator[threading.Thread]:
    """An insert of an earlier attempt, which runs until the rows that its view reads are there."""
    client.command(
        f"CREATE MATERIALIZED VIEW {table}_view ENGINE = MergeTree ORDER BY n AS"
        f" SELECT n, late FROM {table} CROSS JOIN (SELECT max(a) AS late FROM {held.rows}) AS held"
    )
    earlier = open_store(connections.connect(clickhouse, compress=False), table, attempt="old")
    thread = threading.Thread(target=earlier.insert, args=(batch(range(3)), nullcontext))
    thread.start()
    wait_until(earlier._running)
    yield thread
    held.let_go()
    thread.join()


def test_a_later_attempt_waits_for_an_insert_that_still_runs(
    client: Client, table: str, held: Held, inserting: threading.Thread
) -> None:
    later = open_store(client, table, attempt="new")
    waiting = threading.Thread(target=later.wait_for_earlier)
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive() and inserting.is_alive()
    assert client.command(f"SELECT count() FROM {table}_view") == 0
    held.let_go()
    waiting.join()
    assert client.command(f"SELECT count() FROM {table}_view") == 3
    assert later.stored_offsets() == {0: 2}


def test_waiting_for_an_insert_that_never_ends_gives_up(
    client: Client, table: str, inserting: threading.Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "EARLIER_LIMIT", 0.2)
    later = open_store(client, table, attempt="new")
    with pytest.raises(TimeoutError, match="inserts still run in ClickHouse: job/t/old/1/1"):
        later.wait_for_earlier()


def opening(client: Client, target: str) -> str:
    with pytest.raises(SinkError) as error:
        Store(client, parse(target), "job/t", "a")
    return str(error.value)


def test_tables_that_cannot_be_written_are_refused_with_a_remedy(
    client: Client, database: str
) -> None:
    table = f"{database}.t"
    assert opening(client, f"{table} (a)") == (
        f"{table}: table not found in ClickHouse; add a new file to sql/clickhouse that makes it, "
        "then run `make migrate`."
    )
    make(client, table)
    assert opening(client, f"{table} (n, m)") == (
        f"{table}: has no column m (it has n, kafka_partition, kafka_offset, inserted_by, "
        "kafka_timestamp); fix the target, or add the column in a new file of sql/clickhouse."
    )
    without_time = (
        f"{table}: the target names no kafka_timestamp that is a time, by which a topic that was "
        "recreated is noticed; add kafka_timestamp DateTime64(3, 'UTC') to table and target."
    )
    assert opening(client, f"{table} (n, kafka_partition, kafka_offset)") == without_time
    client.command(f"ALTER TABLE {table} MODIFY COLUMN kafka_timestamp Int64")
    assert opening(client, f"{table} {COLUMNS}") == without_time
    client.command(f"ALTER TABLE {table} MODIFY COLUMN kafka_timestamp DateTime64(3, 'UTC')")
    nobody = (
        f"{table}: no column names the writer of a row; add inserted_by LowCardinality(String) "
        "to the table, and leave it out of the target."
    )
    assert opening(client, f"{table} {COLUMNS[:-1]}, inserted_by)") == nobody
    client.command(f"ALTER TABLE {table} DROP COLUMN inserted_by")
    assert opening(client, f"{table} {COLUMNS}") == nobody
    client.command(
        f"CREATE TABLE {table}_p (n Int64, kafka_partition Int32, kafka_offset Int64,"
        " kafka_timestamp DateTime, inserted_by String)"
        " ENGINE = MergeTree PARTITION BY n % 2 ORDER BY n"
    )
    assert opening(client, f"{table}_p {COLUMNS}") == (
        f"{table}_p: has PARTITION BY n % 2, so that an insert is several parts, of which a crash "
        "may leave some; make the table without it."
    )
    client.command(
        f"CREATE TABLE {table}_n (n Int64, kafka_partition Nullable(Int32), kafka_offset String,"
        " kafka_timestamp DateTime MATERIALIZED now(), x JSON) ENGINE = MergeTree ORDER BY n"
    )
    with pytest.raises(SinkError) as error:
        Store(client, parse(f"{table}_n {COLUMNS[:-1]}, x, y, z)"), "job/t", "a")
    assert error.value.lines == [
        f"{table}_n: has no column y and no column z (it has n, kafka_partition, kafka_offset, x); "
        "fix the target, or add the column in a new file of sql/clickhouse.",
        f"{table}_n: ClickHouse computes column kafka_timestamp by itself (MATERIALIZED or ALIAS); "
        "leave it out of the target.",
        f"{table}_n: column x is JSON, which clickhouse_insert cannot fill; leave it to a DEFAULT "
        "or a materialized view.",
        f"{table}_n: column kafka_partition is not a plain integer; make it an Int64.",
        f"{table}_n: column kafka_offset is not a plain integer; make it an Int64.",
        f"{table}_n: {nobody.partition(': ')[2]}",
    ]


def test_names_that_must_be_quoted_are_quoted(client: Client, database: str) -> None:
    client.command(f"CREATE DATABASE `{database}-q`")
    client.command(
        f"CREATE TABLE `{database}-q`.`my.ticks` (`bid, ask` Int64, kafka_partition Int32,"
        " kafka_offset Int64, kafka_timestamp DateTime, inserted_by String)"
        " ENGINE = MergeTree ORDER BY kafka_offset"
    )
    target = parse(
        f"`{database}-q`.`my.ticks` (`bid, ask`, kafka_partition, kafka_offset, `kafka_timestamp`)"
    )
    store = Store(client, target, "job/my.ticks", "a")
    rows = batch(range(3), writer="job/my.ticks").table
    renamed = rows.rename_columns(["bid, ask", *rows.column_names[1:]])
    store.insert(Batch.of(renamed), nullcontext)
    assert store.stored_offsets() == {0: 2}
    assert [a.tolist() for a in store.stored_times(0, 0, 2)] == [[0, 1, 2], [0, 0, 0]]
    assert client.command(f"SELECT sum(`bid, ask`) FROM {target.table}") == 3
