"""ClickHouse's own backups of the tables, in an order in which no record gets lost.

A table of rows and offsets says which records are stored, and a running job continues to store. So
the tables that depend on it are copied after it: the dead letters between its rows, and the tables
behind its views. The table that says how far records are accounted for is copied first.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from jobs.accounting import collected
from lib import clickhouse
from lib.errors import BackupError, one_line
from lib.files import show
from lib.quoting import quote_name, quote_string
from lib.settings import ClickHouse
from lib.waiting import until

# The backups in the order in which they are made, each in a folder of its name.
ORDER = ("collected", "tracked", "others")
# A job whose rows are there does not store their records again: those tables come last.
RESTORED = ("others", "collected", "tracked")

_TABLES = """
SELECT database, name, total_rows
FROM system.tables
WHERE has({databases:Array(String)}, database) AND NOT is_temporary AND engine != 'Memory'
    AND NOT startsWith(name, '.inner')
ORDER BY database, name
"""
# Tables of rows with their offsets; a table of dead letters has offsets, too.
_TRACKED = """
SELECT database, table
FROM system.columns
WHERE has({databases:Array(String)}, database)
    AND name IN ('inserted_by', 'kafka_partition', 'kafka_offset', 'has_record')
GROUP BY database, table
HAVING count() = 3 AND countIf(name = 'has_record') = 0
"""

# How long a backup may take, in seconds, and between two looks at it.
LIMIT = 24 * 3600.0
PAUSE = 0.2

# A table, by database and name.
Name = tuple[str, str]


def rows(client: Client, databases: Sequence[str]) -> dict[Name, int | None]:
    """The tables and views of the databases, each with its number of rows; None for a view."""
    found = client.query(_TABLES, parameters={"databases": databases}).result_rows
    return {(database, name): count for database, name, count in found}


def groups(
    client: Client, databases: Sequence[str], database: str, names: Iterable[Name]
) -> dict[str, list[Name]]:
    """The tables of each backup of ORDER; `database` is that of the migrations."""
    found = client.query(_TRACKED, parameters={"databases": databases}).result_rows
    tracked = {(base, name) for base, name in found}
    grouped: dict[str, list[Name]] = {name: [] for name in ORDER}
    for name in names:
        is_collected = ".".join(name) == collected.table(database)
        group = "collected" if is_collected else "tracked" if name in tracked else "others"
        grouped[group].append(name)
    return grouped


def backup(
    client: Client,
    settings: ClickHouse,
    names: Sequence[Name],
    to: Path,
    waiting: Callable[[], object],
) -> None:
    """Have ClickHouse write the tables to a new folder; `waiting` is called meanwhile."""
    tables = ", ".join(f"TABLE {quote_name(base)}.{quote_name(name)}" for base, name in names)
    _run(client, settings, f"BACKUP {tables} TO {_file(to)}", to, waiting)
    if not (to / ".backup").exists():
        raise BackupError(
            f"{show(to)}: ClickHouse at {settings.address} wrote the backup on its own machine; "
            "run `make backup` there, or give a folder that both have."
        )


def restore(
    client: Client, settings: ClickHouse, folder: Path, waiting: Callable[[], object]
) -> None:
    """Have ClickHouse make all tables of a backup, with their rows; none of them may exist."""
    _run(client, settings, f"RESTORE ALL FROM {_file(folder)}", folder, waiting)


def _file(folder: Path) -> str:
    return f"File({quote_string(str(folder))})"


def _run(
    client: Client, settings: ClickHouse, sql: str, folder: Path, waiting: Callable[[], object]
) -> None:
    """Run in the background of ClickHouse, for no connection is kept open for hours."""

    def state() -> tuple[str, str] | None:
        found = client.query(
            "SELECT toString(status), error FROM system.backups WHERE id = {id:String}",
            parameters={"id": identity},
        ).result_rows
        status, fact = found[0] if found else ("LOST", "ClickHouse was started again meanwhile")
        return None if status in ("CREATING_BACKUP", "RESTORING") else (status, fact)

    try:
        identity = str(client.query(f"{sql} ASYNC").result_rows[0][0])
    except DatabaseError as error:
        raise refused(settings, folder, one_line(error)) from error
    try:
        status, fact = until(state, LIMIT, pause=PAUSE, waiting=waiting) or ("LOST", "no end")
    except BaseException:
        # After Ctrl-C it would go on, and write to a folder that is removed.
        client.command(
            "KILL QUERY WHERE query_id IN (SELECT query_id FROM system.backups WHERE id ="
            " {id:String}) SYNC",
            parameters={"id": identity},
        )
        raise
    if status not in ("BACKUP_CREATED", "RESTORED"):
        raise refused(settings, folder, one_line(fact))


def refused(settings: ClickHouse, folder: Path, fact: str) -> BackupError:
    """The error for a backup or restore that ClickHouse refuses."""
    remedy = "fix that in ClickHouse."
    if "allowed" in fact:
        remedy = "set backups.allowed_path in its configuration to a folder above it."
    return BackupError(f"{show(folder)}: ClickHouse at {settings.address}: {fact}; {remedy}")


def make_databases(client: Client, names: Iterable[str]) -> None:
    """Drop the databases, and make them again without any table."""
    for name in names:
        client.command(f"DROP DATABASE IF EXISTS {quote_name(name)} SYNC")
        clickhouse.make_database(client, quote_name(name), lambda _: None)
