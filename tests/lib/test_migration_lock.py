import os
import socket
import subprocess
import sys

import pytest
from clickhouse_connect.driver.client import Client

from lib import clickhouse as connections
from lib import migration_lock, migrations, waiting
from lib.errors import MigrationError
from lib.settings import ClickHouse
from tests.conftest import FakeTime
from tests.lib.test_migrations import create, locks, test_migrators_at_once_run_each_file_once


def lock(client: Client, database: str, owner: str) -> None:
    migrations.migrate(client, database, [], print)
    assert migration_lock._make(client, f"{database}.schema_migrations_lock", owner)


def dead() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_lock_of_a_dead_process_is_dropped_by_one_of_many(
    client: Client, clickhouse: ClickHouse, database: str
) -> None:
    lock(client, database, f"{socket.gethostname()} {dead()}")
    test_migrators_at_once_run_each_file_once(client, clickhouse, database)


@pytest.mark.parametrize(
    "owner",
    [f"{socket.gethostname()} {os.getpid()}", "elsewhere 999999999"],
    ids=["alive", "elsewhere"],
)
def test_it_waits_for_the_lock_of_a_process_that_may_run(
    client: Client, database: str, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration_lock, "TIMEOUT", 0.3)
    monkeypatch.setattr(waiting, "time", FakeTime())
    lock(client, database, owner)
    lines: list[str] = []
    with pytest.raises(MigrationError) as error:
        migrations.migrate(client, database, [create(database, 1)], lines.append)
    table = f"{database}.schema_migrations_lock"
    assert str(error.value) == (
        f"{table}: held by process {owner} for more than 0 s; "
        f"if that process is gone, DROP TABLE {table}."
    )
    assert lines == [f"waiting for another migration ({owner})"] * 2
    assert locks(client, database) == 1


def test_a_lock_that_is_released_is_taken(
    client: Client, clickhouse: ClickHouse, database: str
) -> None:
    lock(client, database, f"{socket.gethostname()} {os.getpid()}")
    table = f"{database}.schema_migrations_lock"
    other = connections.connect(clickhouse)
    lines: list[str] = []

    def say(text: str) -> None:
        lines.append(text)
        if len(lines) == 2:
            other.command(f"DROP TABLE {table} SYNC")

    assert migrations.migrate(client, database, [create(database, 1)], say) == 1
    assert [text.partition(" (")[0] for text in lines] == [
        "waiting for another migration",
        "waiting for another migration",
        "applied sql/001_table_x.sql",
    ]
