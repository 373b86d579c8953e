"""What a replay stores and notes, in a real ClickHouse; its rows are given, without Flink."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from jobs import job as jobs
from jobs.dead_letters import outcome, staging
from jobs.dead_letters.outcome import Outcome
from jobs.dead_letters.staging import Staging
from jobs.job import Job
from lib import conf, sql_variables
from lib.errors import ServiceError
from lib.sqlfiles import SqlFile
from tests.api.dead_letters import add_dead_letter
from tests.api.support import COLUMNS, DAY
from tests.conftest import ROOT

BESIDE = SqlFile(
    910,
    "insert",
    "large",
    "910_insert_large.sql",
    "INSERT INTO inserted SELECT clickhouse_insert('stocks.ticks (symbol, price, volume, timestamp,"
    " kafka_partition, kafka_offset, kafka_timestamp) AS large', symbol, price, volume,"
    " `timestamp`, kafka_partition, kafka_offset, kafka_timestamp) FROM valid_ticks",
)
COUNTED = SqlFile(
    920,
    "insert",
    "counted",
    "920_insert_counted.sql",
    "INSERT INTO inserted SELECT clickhouse_insert('stocks.counted (symbol)', symbol)"
    " FROM valid_ticks",
)
REASON = "volume: '1.5' is not a whole number"


@pytest.fixture(scope="module")
def job() -> Job:
    """The job of the repository, with an insert that tracks records too and one that does not."""
    config = conf.load(environ={})
    files = sql_variables.load(ROOT / "sql" / "flink" / "stocks", config.variables())
    return jobs.of(config, "stocks", [*files, BESIDE, COUNTED])


@contextmanager
def replaying(
    client: Client, job: Job, offsets: list[int], rows: list[int], refused: Mapping[int, str]
) -> Iterator[Staging]:
    """A replay of the dead letters at these offsets: those of `rows` are rows now, and the others
    are refused."""
    call = next(call for call in job.calls if call.target.dead_letters)
    name = staging.new_name(job)
    with staging.opened(client, job, call, name, [(0, offset) for offset in offsets]) as staged:
        stand_ins = [*staged.targets.values()]
        for stand_in in stand_ins:
            client.insert(
                stand_in.table,
                [["A", 1.5, 1, DAY, 0, offsets.index(n), DAY + timedelta(seconds=n), "replay"]
                 for n in rows],
                column_names=COLUMNS,
            )  # fmt: skip
        letters = [["t", 0, offsets.index(n), DAY, "rule", text] for n, text in refused.items()]
        names = ["topic", "kafka_partition", "kafka_offset", "kafka_timestamp", "stage", "reason"]
        if letters:
            client.insert(staged.dead, letters, column_names=names)
        yield staged


def passed(client: Client, offset: int) -> None:
    """Store a row of the insert beside, which is its last."""
    row = ["B", 1.0, 1, DAY, 0, offset, DAY, "stocks/large"]
    client.insert("stocks.ticks", [row], column_names=COLUMNS)


def stored(client: Client) -> list[tuple[str, int]]:
    rows = client.query("SELECT inserted_by, kafka_offset FROM stocks.ticks ORDER BY ALL")
    return [(writer, offset) for writer, offset in rows.result_rows]


def noted(client: Client) -> dict[int, tuple[str, bool, int, str]]:
    """The reason, whether it was replayed, the version and the value, by offset."""
    rows = client.query(
        "SELECT kafka_offset, reason, replayed_at IS NOT NULL, version, value"
        " FROM stocks.dead_letters FINAL",
    ).result_rows
    return {
        offset: (reason, bool(done), version, value)
        for offset, reason, done, version, value in rows
    }


def test_rows_are_stored_at_their_places_and_the_others_get_the_new_reason(
    letters: Client, job: Job
) -> None:
    for offset in (3, 5, 7, 9):
        add_dead_letter(letters, offset, REASON)
    passed(letters, 100)
    # 5 is refused as before, 7 for another reason, and 9 is not read.
    with replaying(letters, job, [3, 5, 7, 9], [3], {5: REASON, 7: "price: missing"}) as staged:
        assert outcome.expected(letters, staged) == Outcome(1, 2, 1)
        assert stored(letters) == [("stocks/large", 100)]
        assert outcome.store(letters, "stocks", staged, "one") == Outcome(1, 2, 1)
    assert stored(letters) == [("stocks/large", 3), ("stocks/large", 100), ("stocks/ticks", 3)]
    value = '{"symbol": "AAPL"}'
    assert noted(letters) == {
        3: (REASON, True, 2, value),
        5: (REASON, False, 1, value),
        7: ("price: missing", False, 2, value),
        9: (REASON, False, 1, value),
    }
    row = letters.query("SELECT kafka_timestamp, inserted_at FROM stocks.ticks WHERE price = 1.5")
    time, at = row.result_rows[0]
    assert time.replace(tzinfo=UTC) == DAY + timedelta(seconds=3)
    assert at.replace(tzinfo=UTC) > datetime.now(UTC) - timedelta(minutes=5)


def test_a_replay_after_one_that_was_killed_stores_nothing_twice(letters: Client, job: Job) -> None:
    for offset in (3, 5):
        add_dead_letter(letters, offset, REASON)
    # The first has stored both in one table, one in the other, and noted neither.
    for writer, offsets in (("stocks/ticks", [3, 5]), ("stocks/large", [5])):
        rows = [["A", 1.5, 1, DAY, 0, n, DAY + timedelta(seconds=n), writer] for n in offsets]
        letters.insert("stocks.ticks", rows, column_names=COLUMNS)
    with replaying(letters, job, [3, 5], [3], {5: "price: missing"}) as staged:
        for _ in range(2):
            outcome.store(letters, "stocks", staged, "two")
    assert stored(letters) == [
        ("stocks/large", 3), ("stocks/large", 5), ("stocks/ticks", 3), ("stocks/ticks", 5),
    ]  # fmt: skip
    # A row that an earlier replay stored stays, whatever the rules are now.
    assert {offset: done for offset, (_, done, _, _) in noted(letters).items()} == {
        3: True,
        5: True,
    }


def test_an_insert_that_has_not_come_so_far_gets_no_row(letters: Client, job: Job) -> None:
    """The sink leaves out what is before a row of its writer: the rest would be lost."""
    for offset in (3, 5):
        add_dead_letter(letters, offset, REASON)
    passed(letters, 4)
    with replaying(letters, job, [3, 5], [3, 5], {}) as staged:
        outcome.store(letters, "stocks", staged, "three")
    assert stored(letters) == [
        ("stocks/large", 3), ("stocks/large", 4), ("stocks/ticks", 3), ("stocks/ticks", 5),
    ]  # fmt: skip


def test_only_complete_dead_letters_that_are_not_replayed_are_taken(
    letters: Client, job: Job
) -> None:
    add_dead_letter(letters, 3, REASON, has_record=False)
    add_dead_letter(letters, 5, REASON, replayed_at=datetime.now(UTC))
    for offset in (3, 5):
        with (
            pytest.raises(ServiceError, match="its rows changed during the selection"),
            replaying(letters, job, [offset], [], {}),
        ):
            raise AssertionError("it was taken")


def test_the_tables_of_a_killed_replay_are_dropped_and_no_others(letters: Client, job: Job) -> None:
    mine = staging.new_name(job)
    others = ["replay_stocks_mine", f"{mine}_notes", "replay_stocks_b_0a1b2c3d_dead"]
    for name in (f"{mine}_places", f"{mine}_rows_12", *others):
        letters.command(f"CREATE TABLE stocks.{name} (n Int64) ENGINE = Memory")
    staging.drop_abandoned(letters, job)
    left = letters.query("SELECT name FROM system.tables WHERE name LIKE 'replay%'").result_rows
    assert sorted(name for (name,) in left) == sorted(others)
    for name in others:
        letters.command(f"DROP TABLE stocks.{name}")
