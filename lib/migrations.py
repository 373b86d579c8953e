"""Schema migrations: run each file of sql/clickhouse/ once, in order; a file is never edited."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import click
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from lib import clickhouse, conf, migration_lock, retention, sql_variables, sqlfiles
from lib.errors import MigrationError, exit_on_error, one_line
from lib.settings import Settings
from lib.sqlfiles import SqlFile


@dataclass(frozen=True, slots=True)
class Applied:
    """One row of schema_migrations: a file that ran."""

    number: int
    file: str
    checksum: str


def migrate_all(client: Client, config: Settings, say: Callable[[str], None]) -> tuple[int, int]:
    """Run the files of sql/clickhouse that have not run yet; return how many there are, and ran."""
    files = sqlfiles.load(config.sql_dir / "clickhouse")
    database, variables = config.clickhouse.database, config.variables()
    return len(files), migrate(client, database, files, say, variables)


def migrate(
    client: Client,
    database: str,
    files: Sequence[SqlFile],
    say: Callable[[str], None],
    variables: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Run the files that have not run yet, with the settings they name, and return how many; raise
    MigrationError at the first that differs from what was applied, or that ClickHouse refuses."""
    clickhouse.make_database(client, database, say)
    client.command(
        f"CREATE TABLE IF NOT EXISTS {database}.schema_migrations"
        " (number UInt16, file String, checksum String, sql String,"
        " applied_at DateTime64(3, 'UTC') DEFAULT now64(3), duration_ms UInt32)"
        " ENGINE = MergeTree ORDER BY number"
        " COMMENT 'One row per file of sql/clickhouse that ran.'"
    )
    with migration_lock.held(client, database, say):
        todo = pending(applied(client, database), files)
        filled = [
            sql_variables.substitute(file, variables, sql_variables.CLICKHOUSE) for file in todo
        ]
        for file, meant in zip(todo, filled, strict=True):
            if meant.database:
                clickhouse.make_database(client, meant.database, say)
            _apply(client, database, file, meant.text)
            say(f"applied {file.place}")
    return len(todo)


def applied(client: Client, database: str) -> list[Applied]:
    """The files that ran, in order."""
    rows = client.query(
        f"SELECT number, file, checksum FROM {database}.schema_migrations ORDER BY number"
    ).result_rows
    return [Applied(*row) for row in rows]


def pending(done: Sequence[Applied], files: Sequence[SqlFile]) -> list[SqlFile]:
    """The files still to run; raise MigrationError if one that ran was changed or is missing."""
    by_number = {file.number: file for file in files}
    for past in done:
        file = by_number.get(past.number)
        if file is None:
            raise MigrationError(
                f"{past.file}: applied, but missing on disk; restore it from version control."
            )
        if checksum(file) != past.checksum:
            raise MigrationError(
                f"{file.place}: already applied with other content (as {past.file}); "
                "restore it, and add a new file instead of editing it."
            )
    numbers = {past.number for past in done}
    last = max(numbers, default=-1)
    todo = [file for file in files if file.number not in numbers]
    for file in todo:
        if file.number < last:
            raise MigrationError(
                f"{file.place}: comes before {last:03}, which is applied; give it the next number."
            )
    return todo


def checksum(file: SqlFile) -> str:
    """SHA-256 of the statement with its comments, without the settings: these may change."""
    return hashlib.sha256(file.text.encode()).hexdigest()


def _apply(client: Client, database: str, file: SqlFile, text: str) -> None:
    start = time.monotonic()
    try:
        client.command(text)
    except DatabaseError as error:
        raise MigrationError(
            f"{file.place}: ClickHouse refuses it: {one_line(error)}; fix the file."
        ) from error
    duration = int((time.monotonic() - start) * 1000)
    client.insert(
        f"{database}.schema_migrations",
        [[file.number, file.place, checksum(file), text, duration]],
        column_names=["number", "file", "checksum", "sql", "duration_ms"],
    )


@click.command()
@exit_on_error()
def main() -> None:
    """Apply the schema migrations of sql/clickhouse that have not run yet."""
    config = conf.load()
    client = clickhouse.wait(config.clickhouse, click.echo, timeout=30)
    with clickhouse.explained(config.clickhouse):
        count, new = migrate_all(client, config, click.echo)
        retention.apply(client, config, click.echo)
    click.echo(f"schema is up to date: {count} files, {new} new")


if __name__ == "__main__":
    main()
