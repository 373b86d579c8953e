"""Rows that a table took and a view behind it did not: the view gets them all, each once."""

from contextlib import nullcontext
from typing import Any

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from jobs.sink import incomplete, insert_policy
from jobs.sink.batch import Batch
from lib.errors import SinkError
from tests.jobs.sink.test_store import Flaky, batch, count, lose_answer, make, open_store

WINDOW = "SETTINGS non_replicated_deduplication_window = 100"


@pytest.fixture
def table(client: Client, database: str) -> str:
    """A table that feeds three sums; the second can be made to refuse rows."""
    table = f"{database}.t"
    make(client, table)
    for name in ("first", "per_share", "last"):
        client.command(
            f"CREATE TABLE {database}.{name} (n Int64) ENGINE = SummingMergeTree ORDER BY tuple()"
            f" {WINDOW}"
        )
        view(client, table, name, "sum(n)")
    return table


def view(client: Client, table: str, name: str, select: str) -> None:
    database = table.split(".")[0]
    client.command(f"DROP VIEW IF EXISTS {database}.v_{name}")
    client.command(
        f"CREATE MATERIALIZED VIEW {database}.v_{name} TO {database}.{name}"
        f" AS SELECT {select} AS n FROM {table}"
    )


def sums(client: Client, table: str) -> list[int]:
    database = table.split(".")[0]
    query = "SELECT sum(n) FROM {}.{}"
    return [client.command(query.format(database, n)) for n in ("first", "per_share", "last")]


def new_process() -> None:
    """A process forgets its notes when it ends."""
    incomplete._here.clear()


def start_again(client: Any, table: str) -> None:
    store = open_store(client, table, attempt="later")
    store.wait_for_earlier()
    store.complete_earlier({0})
    assert store._notes.of({0}) == []


class Unavailable(Flaky):
    """ClickHouse does not answer after its first insert."""

    def query(self, *args: Any, **more: Any) -> Any:
        if self.tokens:
            raise OperationalError("connection refused")
        return self._client.query(*args, **more)


def test_a_view_that_refuses_a_row_ends_the_job_and_gets_every_row_when_it_is_fixed(
    client: Client, table: str
) -> None:
    view(client, table, "per_share", "sum(n + intDiv(1, n))")
    flaky = Flaky(client)
    with pytest.raises(SinkError) as error:
        open_store(flaky, table).insert(batch(range(4)), nullcontext)
    assert len(flaky.tokens) == 1, "a refusal must not be retried"
    text = str(error.value)
    assert text.startswith(f"{table}: ClickHouse refuses the rows: ")
    assert f"while pushing to view {table.split('.')[0]}.v_per_share" in text
    assert count(client, table) == (4, 4) and sums(client, table)[1] == 0
    new_process()
    with pytest.raises(SinkError, match="v_per_share"):
        start_again(client, table)
    view(client, table, "per_share", "sum(n)")
    new_process()
    start_again(client, table)
    assert count(client, table) == (4, 4)
    assert sums(client, table) == [6, 6, 6]
    start_again(client, table)
    assert sums(client, table) == [6, 6, 6]


def test_a_large_batch_in_pieces_is_sent_again_as_one_insert(client: Client, table: str) -> None:
    view(client, table, "per_share", "sum(n + intDiv(1, n))")
    halves = [batch(range(70_000)).table, batch(range(70_000, 140_000)).table]
    rows = Batch.of(pa.concat_tables(halves))
    with pytest.raises(SinkError):
        open_store(client, table).insert(rows, nullcontext)
    view(client, table, "per_share", "sum(n)")
    new_process()
    start_again(client, table)
    assert count(client, table) == (140_000, 140_000)
    assert sums(client, table) == [sum(range(140_000))] * 3


def test_a_view_that_lacks_memory_gets_the_rows_of_a_later_try(client: Client, table: str) -> None:
    view(client, table, "per_share", "sum(n + 0 * length(range(5000000 + n)))")

    def with_little_memory(insert: Any, settings: dict[str, Any]) -> None:
        settings["max_memory_usage"] = 30_000_000
        insert()

    flaky = Flaky(client, with_little_memory, with_little_memory)
    open_store(flaky, table).insert(batch(range(4)), nullcontext)
    assert len(flaky.tokens) == 3 and len(set(flaky.tokens)) == 1
    assert count(client, table) == (4, 4)
    assert sums(client, table) == [6, 6, 6]


def test_rows_sent_again_after_a_lost_answer_are_in_each_view_once(
    client: Client, table: str
) -> None:
    flaky = Flaky(client, lose_answer)
    open_store(flaky, table).insert(batch(range(4)), nullcontext)
    assert len(flaky.tokens) == 2
    assert count(client, table) == (4, 4)
    assert sums(client, table) == [6, 6, 6]


def test_a_server_killed_between_table_and_view_leaves_no_view_incomplete(
    client: Client, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insert_policy, "RETRY_LIMIT", 0.0)

    def stored_in_the_table_alone(insert: Any, settings: Any) -> None:
        # Another subtask of the same writer begins meanwhile, and leaves this insert alone.
        open_store(client, table, attempt="other").complete_earlier({1})
        client.command(f"DROP VIEW {table.split('.')[0]}.v_last")
        insert()
        view(client, table, "last", "sum(n)")
        raise OperationalError("connection reset")

    with pytest.raises(OperationalError, match="connection reset"):
        open_store(Unavailable(client, stored_in_the_table_alone), table).insert(
            batch(range(4)), nullcontext
        )
    assert sums(client, table) == [6, 6, 0]
    start_again(client, table)
    assert count(client, table) == (4, 4)
    assert sums(client, table) == [6, 6, 6]


def test_an_insert_that_the_table_did_not_take_is_not_noted(client: Client, table: str) -> None:
    client.command(f"ALTER TABLE {table} ADD CONSTRAINT small CHECK n < 3")
    with pytest.raises(SinkError, match="Constraint `small` for table"):
        open_store(client, table).insert(batch(range(4)), nullcontext)
    assert count(client, table) == (0, 0)
    start_again(client, table)
    assert sums(client, table) == [0, 0, 0]


def test_rows_that_the_table_no_longer_has_are_not_sent_again(client: Client, table: str) -> None:
    view(client, table, "per_share", "sum(n + intDiv(1, n))")
    with pytest.raises(SinkError):
        open_store(client, table).insert(batch(range(4)), nullcontext)
    client.command(f"TRUNCATE TABLE {table}")
    start_again(client, table)
    assert count(client, table) == (0, 0)


def test_without_a_deduplication_window_the_views_that_lack_rows_are_named(
    client: Client, table: str
) -> None:
    client.command(f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 0")
    view(client, table, "per_share", "sum(n + intDiv(1, n))")
    with pytest.raises(SinkError) as error:
        open_store(client, table).insert(batch(range(4)), nullcontext)
    assert f"{table.split('.')[0]}.v_per_share" in str(error.value)
    assert "non_replicated_deduplication_window = 1000" in str(error.value)
    assert count(client, table) == (4, 4)


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ("ALTER TABLE {table} ADD CONSTRAINT small CHECK n < 3", "VIOLATED_CONSTRAINT"),
        ("ALTER TABLE {table} ADD COLUMN w UInt8 DEFAULT throwIf(n = 3)", "THROW_IF"),
        ("ALTER TABLE {table} ADD COLUMN w UInt8 MATERIALIZED intDiv(1, n)", "ILLEGAL_DIVISION"),
        ("ALTER TABLE {table} MODIFY SETTING table_readonly = 1", "PERMANENTLY_READ_ONLY"),
        ("DROP TABLE {database}.last SYNC", "UNKNOWN_TABLE"),
        ("DROP TABLE {table} SYNC", "UNKNOWN_TABLE"),
    ],
)
def test_a_permanent_failure_is_refused_at_once_with_the_servers_message(
    client: Client, table: str, change: str, fact: str
) -> None:
    flaky = Flaky(client)
    store = open_store(flaky, table)
    client.command(change.format(table=table, database=table.split(".")[0]))
    with pytest.raises(SinkError) as error:
        store.insert(batch(range(4)), nullcontext)
    assert fact in str(error.value) and len(flaky.tokens) == 1


@pytest.mark.parametrize(
    ("setting", "limits", "fact"),
    [
        ("min_free_disk_bytes_to_perform_insert = 1000000000000000", {}, "NOT_ENOUGH_SPACE"),
        ("parts_to_throw_insert = 1, parts_to_delay_insert = 1000", {}, "Too many parts"),
        ("", {"max_memory_usage": 1000, "max_untracked_memory": 1}, "MEMORY_LIMIT_EXCEEDED"),
    ],
)
def test_a_transient_failure_is_retried_until_it_has_passed(
    client: Client, table: str, setting: str, limits: dict[str, Any], fact: str
) -> None:
    client.command(f"SYSTEM STOP MERGES {table}")
    open_store(client, table, attempt="first").insert(batch(range(1)), nullcontext)
    if setting:
        client.command(f"ALTER TABLE {table} MODIFY SETTING {setting}")
    messages: list[str] = []

    def fail(insert: Any, settings: dict[str, Any]) -> None:
        try:
            settings.update(limits)
            insert()
        except DatabaseError as error:
            messages.append(str(error))
            raise

    def passed(insert: Any, settings: dict[str, Any]) -> None:
        if setting:
            names = ", ".join(each.split(" = ")[0] for each in setting.split(", "))
            client.command(f"ALTER TABLE {table} RESET SETTING {names}")
        insert()

    open_store(Flaky(client, fail, fail, passed), table).insert(batch(range(1, 4)), nullcontext)
    assert len(messages) == 2 and all(fact in text for text in messages)
    assert count(client, table) == (4, 4)
    assert sums(client, table) == [6, 6, 6]
