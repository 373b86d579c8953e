import time
from pathlib import Path

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from lib import conf, retention
from lib.errors import SettingsError
from lib.settings import Retention, Settings
from tests.conftest import wait_until


@pytest.fixture
def table(client: Client, database: str) -> str:
    """A table of records, one of them 40 days old and one of now."""
    name = f"{database}.t"
    client.command(
        f"CREATE TABLE {name} (a Int64, kafka_timestamp DateTime64(3, 'UTC'))"
        " ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = 100"
    )
    client.command(f"INSERT INTO {name} VALUES (1, now64(3) - INTERVAL 40 DAY), (2, now64(3))")
    return name


@pytest.fixture
def said() -> list[str]:
    return []


def keeping(tmp_path: Path, **days: int | None) -> Settings:
    """Settings with retention.days, and without any job; `__` stands for a dot."""
    named = {name.replace("__", "."): value for name, value in days.items()}
    return msgspec.structs.replace(
        conf.load(environ={}), sql_dir=tmp_path, retention=Retention(days=named)
    )


def rows(client: Client, table: str) -> list[int]:
    return [row[0] for row in client.query(f"SELECT a FROM {table} ORDER BY a").result_rows]


def test_a_ttl_is_set_changed_and_removed_as_the_settings_say(
    client: Client, table: str, tmp_path: Path, said: list[str]
) -> None:
    def apply(days: int | None) -> None:
        name = table.replace(".", "__")
        retention.apply(client, keeping(tmp_path, **{name: days}), said.append)

    apply(None)
    assert said == []
    apply(50)
    apply(50)
    assert said == [f"table {table}: rows are kept for 50 days"]
    assert rows(client, table) == [1, 2]
    apply(30)
    wait_until(lambda: rows(client, table) == [2])
    apply(None)
    assert said[1:] == [
        f"table {table}: rows are kept for {limit}" for limit in ("30 days", "ever")
    ]
    client.command(f"INSERT INTO {table} VALUES (3, now64(3) - INTERVAL 40 DAY)")
    client.command(f"OPTIMIZE TABLE {table} FINAL")
    assert rows(client, table) == [2, 3]


def test_a_table_that_is_not_named_keeps_the_ttl_of_its_sql(
    client: Client, table: str, tmp_path: Path, said: list[str]
) -> None:
    client.command(f"ALTER TABLE {table} MODIFY TTL kafka_timestamp + toIntervalDay(30)")
    retention.apply(client, keeping(tmp_path), said.append)
    assert said == []
    wait_until(lambda: rows(client, table) == [2])


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("ticks", "retention.days: ticks: not the name of a table; write database.table"),
        ("nowhere__t", r"nowhere\.t: ClickHouse has no such table; fix the name, or remove it"),
        ("system__one", r"system\.one: the table has no column kafka_timestamp, from which"),
    ],
)
def test_a_table_that_cannot_have_a_ttl_is_refused(
    client: Client, tmp_path: Path, name: str, error: str
) -> None:
    with pytest.raises(SettingsError, match=error):
        retention.apply(client, keeping(tmp_path, **{name: 10}), lambda _: None)


@pytest.mark.parametrize("name", ["nowhere__t", "system__one"])
def test_a_table_whose_rows_are_kept_for_ever_need_not_exist(
    client: Client, tmp_path: Path, said: list[str], name: str
) -> None:
    retention.apply(client, keeping(tmp_path, **{name: None}), said.append)
    assert said == []


def test_the_shortest_limit_counts() -> None:
    days = {"a.b": 10, "a.c": 5, "a.d": None}
    assert retention.shortest(days, ["a.b", "a.c", "a.d"]) == 5
    assert retention.shortest(days, ["a.d", "a.e"]) is None
    assert retention.removed_before(None) == 0
    assert abs(retention.removed_before(2) - 1e3 * (time.time() - 2 * 86_400)) < 60_000
