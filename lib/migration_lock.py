"""A lock in ClickHouse that lets one migrator work at a time."""

import fcntl
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from lib.clickhouse_errors import Code
from lib.errors import MigrationError
from lib.processes import is_alive
from lib.waiting import until

# How long another migrator may work before a second one gives up waiting, in seconds.
TIMEOUT = 60.0


@contextmanager
def held(client: Client, database: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock: the process that creates the lock table has it. ClickHouse has no advisory
    locks, but creating a table is atomic, for clients on any machine."""
    table = f"{database}.schema_migrations_lock"
    me = f"{socket.gethostname()} {os.getpid()}"

    def is_mine() -> bool:
        if _is_dead(_owner(client, table)):
            _drop_dead(client, table)
        return _make(client, table, me)

    def waiting() -> None:
        say(f"waiting for another migration ({_owner(client, table)})")

    if not until(is_mine, TIMEOUT, pause=0.2, waiting=waiting):
        raise MigrationError(
            f"{table}: held by process {_owner(client, table)} for more than {TIMEOUT:.0f} s; "
            f"if that process is gone, DROP TABLE {table}."
        )
    try:
        yield
    finally:
        client.command(f"DROP TABLE IF EXISTS {table} SYNC")


def _owner(client: Client, table: str) -> str:
    """The holder of the lock; empty if it has just been released."""
    database, name = table.split(".")
    return str(
        client.query(
            "SELECT any(comment) FROM system.tables"
            " WHERE database = {database:String} AND name = {name:String}",
            parameters={"database": database, "name": name},
        ).result_rows[0][0]
    )


def _drop_dead(client: Client, table: str) -> None:
    """Drop the lock of a process of this machine that has ended. One process at a time does that:
    a second one would drop the lock that the first has created since."""
    with (Path(tempfile.gettempdir()) / "millrace-migrations.lock").open("w") as one:
        fcntl.flock(one, fcntl.LOCK_EX)
        if _is_dead(_owner(client, table)):
            client.command(f"DROP TABLE IF EXISTS {table} SYNC")


def _make(client: Client, table: str, owner: str) -> bool:
    try:
        client.command(f"CREATE TABLE {table} (nothing UInt8) ENGINE = Memory COMMENT '{owner}'")
    except DatabaseError as error:
        if error.code == Code.TABLE_ALREADY_EXISTS:
            return False
        raise
    return True


def _is_dead(owner: str) -> bool:
    """Whether it is a process of this machine that has ended; elsewhere it may still run."""
    host, _, pid = owner.partition(" ")
    return host == socket.gethostname() and pid.isdigit() and not is_alive(int(pid))
