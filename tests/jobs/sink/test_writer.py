"""Batches without Flink: each new Writer is a new attempt, and ClickHouse is real."""

import secrets
import threading
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import OperationalError

from jobs.sink.fencing import FencedError
from jobs.sink.store import Store
from jobs.sink.writer import Writer
from jobs.targets.target import parse
from lib import clickhouse as connections
from lib.errors import SinkError
from lib.settings import ClickHouse

COLUMNS = "(n, kafka_partition, kafka_offset, kafka_timestamp)"
EPOCH = 1_700_000_000_000


@pytest.fixture
def table(client: Client, database: str) -> str:
    client.command(
        f"CREATE TABLE {database}.t (n Int64, kafka_partition Int32, kafka_offset Int64,"
        " kafka_timestamp DateTime64(3, 'UTC'), inserted_by LowCardinality(String))"
        " ENGINE = MergeTree ORDER BY kafka_offset"
        " SETTINGS non_replicated_deduplication_window = 100"
    )
    return f"{database}.t"


def attempt(client: Any, table: str, name: str = "", job: str = "job") -> Writer:
    target = parse(f"{table} {COLUMNS}{f' AS {name}' if name else ''}")
    # The fence outlives a test, as a job outlives its attempts.
    writer = f"{job}-{table}/{target.name}"
    return Writer(Store(client, target, writer, secrets.token_hex(8)))


def values(*places: tuple[int, int], topic: int = EPOCH) -> tuple[Any, ...]:
    """Columns of the records at these (partition, offset), from which all values follow."""
    partitions, offsets = zip(*places, strict=True)
    return (
        pa.array([p * 1000 + o for p, o in places]),
        pa.array(partitions, pa.int32()),
        pd.Series(offsets),
        pa.array([topic + o for o in offsets], pa.timestamp("ms", "UTC")),
    )


def run(writer: Writer, *places: tuple[int, int], **more: Any) -> list[bool]:
    return list(writer.insert(values(*places, **more), len(places)).is_stored)


def stored(client: Client, table: str, where: str = "1") -> list[tuple[int, int]]:
    query = f"SELECT kafka_partition, kafka_offset FROM {table} WHERE {where} ORDER BY ALL"
    return [tuple(row) for row in client.query(query).result_rows]


def partition(number: int, *bounds: int) -> list[tuple[int, int]]:
    return [(number, offset) for offset in range(*bounds)]


def test_replays_with_any_batch_boundaries_store_each_record_once(
    client: Client, table: str
) -> None:
    random = np.random.default_rng(7)
    total = 60
    for _ in range(12):
        writer = attempt(client, table)
        stored_offsets = writer._store.stored_offsets()
        # Flink goes back to a checkpoint, which lies at or before what is stored.
        at = {p: int(random.integers(0, stored_offsets.get(p, -1) + 2)) for p in range(3)}
        for _ in range(int(random.integers(1, 5))):
            places = []
            for p in random.permutation(3).tolist():
                end = min(total, at[p] + int(random.integers(0, 15)))
                places += partition(p, at[p], end)
                at[p] = end
            if places:
                run(writer, *places)
    run(attempt(client, table), *(place for p in range(3) for place in partition(p, total)))
    assert stored(client, table) == [(p, o) for p in range(3) for o in range(total)]


def test_new_rows_are_distinguished_from_stored_rows(client: Client, table: str) -> None:
    assert run(attempt(client, table), (0, 0), (0, 2)) == [True, True]
    again = attempt(client, table)
    assert run(again, (0, 0), (0, 2)) == [False, False]
    assert run(again, (1, 0), (0, 3)) == [True, True]
    assert stored(client, table) == [(0, 0), (0, 2), (0, 3), (1, 0)]
    assert stored(client, table, "n != kafka_partition * 1000 + kafka_offset") == []


def test_a_recreated_topic_is_refused(client: Client, table: str) -> None:
    run(attempt(client, table), *partition(0, 10))
    with pytest.raises(SinkError) as error:
        run(attempt(client, table), *partition(0, 5), topic=EPOCH + 60_000)
    assert str(error.value) == (
        f"{table}: partition 0, offset 0 holds another record than the one stored from there: the "
        "topic was recreated, or is another; empty the table, or write as another: "
        "'table (columns) AS name'."
    )
    assert len(stored(client, table)) == 10


def test_two_writers_with_different_names_share_a_table(client: Client, table: str) -> None:
    run(attempt(client, table), *partition(0, 10))
    run(attempt(client, table, "late"), *partition(0, 4))
    run(attempt(client, table, job="other"), *partition(0, 3))
    for name, job in (("", "job"), ("late", "job"), ("", "other")):
        run(attempt(client, table, name, job), *partition(0, 12))
    assert len(stored(client, table)) == 36
    assert client.command(f"SELECT uniqExact(inserted_by) FROM {table}") == 3


@pytest.mark.parametrize("kind", ["DateTime64(3, 'UTC')", "DateTime64(6, 'UTC')"])
def test_each_row_has_the_time_at_which_the_sink_received_it(
    client: Client, table: str, kind: str
) -> None:
    client.command(f"ALTER TABLE {table} ADD COLUMN received_at {kind}")
    before = client.command("SELECT toString(now64(3, 'UTC'))")
    run(attempt(client, table), *partition(0, 3))
    after = client.command("SELECT toString(now64(3, 'UTC'))")
    ends = f"SELECT toString(min(received_at)), toString(max(received_at)) FROM {table}"
    first, last = client.query(ends).first_row
    assert before <= first == last <= f"{after}9"


def test_a_column_that_the_target_names_is_not_filled_by_the_sink(
    client: Client, table: str
) -> None:
    client.command(f"ALTER TABLE {table} ADD COLUMN received_at DateTime64(3, 'UTC')")
    target = parse(f"{table} {COLUMNS[:-1]}, received_at)")
    store = Store(client, target, "job/t", "a")
    assert store.own_values() == [store.writer]
    columns = values(*partition(0, 3))
    Writer(store).insert((*columns, columns[3]), 3)
    same = f"SELECT countIf(received_at = kafka_timestamp) FROM {table}"
    assert client.command(same) == 3


def test_a_table_without_offsets_gets_every_row_each_time(client: Client, database: str) -> None:
    client.command(f"CREATE TABLE {database}.plain (n Int64) ENGINE = MergeTree ORDER BY n")
    target = parse(f"{database}.plain (n)")
    for number in range(2):
        writer = Writer(Store(client, target, "job/plain", str(number)))
        assert writer.insert((pa.array([1, 2]),), 2).is_stored.tolist() == [True, True]
    assert client.command(f"SELECT count() FROM {database}.plain") == 4


def test_constants_fill_every_row(client: Client, table: str) -> None:
    offsets, times = values(*partition(0, 3))[2:]
    assert attempt(client, table).insert((7, 0, offsets, times), 3).is_stored.all()
    assert client.command(f"SELECT sum(n) FROM {table}") == 21


def test_wrong_values_are_refused_and_nothing_is_stored(client: Client, table: str) -> None:
    n, partitions, offsets, times = values(*partition(0, 3))
    place = "partition 0, offset 1"
    refusals = [
        ((n, partitions, offsets), "3 values for 4 columns; give one value for each column"),
        (
            (pa.array(["1", "x", "3"]), partitions, offsets, times),
            rf"{table}: {place}: column n Int64 cannot take x: ",
        ),
        (
            (pa.array([None, 2, 3], pa.int64()), partitions, offsets, times),
            "offset 0: column n Int64: the column takes no NULL",
        ),
        ((n, partitions, None, times), "column kafka_offset Int64: the column takes no NULL"),
        (values((0, 0), (0, 1), (0, 1)), "offset 1: one record became several rows"),
    ]
    for refused, fact in refusals:
        with pytest.raises(SinkError, match=fact):
            attempt(client, table).insert(refused, 3)
    assert stored(client, table) == []


def test_a_fenced_attempt_stores_nothing_more(client: Client, table: str) -> None:
    old, new = attempt(client, table), attempt(client, table)
    run(old, *partition(0, 3), *partition(1, 3))
    run(new, *partition(0, 6))
    with pytest.raises(FencedError):
        run(old, *partition(0, 3, 5), *partition(1, 3, 5))
    assert stored(client, table) == [*partition(0, 6), *partition(1, 3)]
    run(new, *partition(0, 6, 7), *partition(1, 7))
    assert stored(client, table) == [*partition(0, 7), *partition(1, 7)]


def test_a_batch_of_a_new_and_a_fenced_partition_stores_neither(client: Client, table: str) -> None:
    old, new = attempt(client, table), attempt(client, table)
    run(old, *partition(0, 3))
    run(new, *partition(0, 4))
    with pytest.raises(FencedError):
        run(old, *partition(0, 3, 5), *partition(2, 2))
    assert stored(client, table) == partition(0, 4)
    run(attempt(client, table), *partition(0, 5), *partition(2, 2))
    assert stored(client, table) == [*partition(0, 5), *partition(2, 2)]


class Paused:
    """A client whose first insert fails, which is known only after a wait."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.failed, self.go_on = threading.Event(), threading.Event()

    def query(self, *args: Any, **more: Any) -> Any:
        return self._client.query(*args, **more)

    def insert_arrow(self, *args: Any, **more: Any) -> None:
        if not self.failed.is_set():
            self.failed.set()
            self.go_on.wait(90)
            raise OperationalError("connection reset")
        self._client.insert_arrow(*args, **more)


def test_an_old_thread_that_retries_after_a_restart_duplicates_nothing(
    client: Client, clickhouse: ClickHouse, table: str
) -> None:
    paused = Paused(connections.connect(clickhouse, compress=False))
    old, new = attempt(paused, table), attempt(client, table)

    def live() -> None:
        # Unless it retries before the claim of the new one.
        with suppress(FencedError):
            run(old, *partition(0, 5))

    first = threading.Thread(target=live)
    first.start()
    assert paused.failed.wait(90)
    second = threading.Thread(target=run, args=(new, *partition(0, 8)))
    second.start()
    second.join(0.2)
    assert second.is_alive(), "a claim must wait for the insert that runs"
    paused.go_on.set()
    first.join()
    second.join()
    assert stored(client, table) == partition(0, 8)
