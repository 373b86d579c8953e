import threading
from dataclasses import replace
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from lib import clickhouse as connections
from lib import migrations
from lib.errors import MigrationError, SqlFileError
from lib.migrations import Applied, pending
from lib.settings import ClickHouse
from lib.sqlfiles import SqlFile


def file(number: int, text: str = "") -> SqlFile:
    text = text or f"-- One.\nSELECT {number}"
    return SqlFile(number, "table", "x", f"sql/{number:03}_table_x.sql", text)


def done(*files: SqlFile) -> list[Applied]:
    return [Applied(f.number, f.place, migrations.checksum(f)) for f in files]


def create(database: str, number: int) -> SqlFile:
    return file(number, f"CREATE TABLE {database}.t{number} (a Int8) ENGINE = Memory")


def applied(client: Client, database: str) -> list[int]:
    return [one.number for one in migrations.applied(client, database)]


def locks(client: Client, database: str) -> Any:
    query = "SELECT count() FROM system.tables WHERE database = {d:String} AND name LIKE '%_lock'"
    return client.query(query, {"d": database}).result_rows[0][0]


ONE, TWO, THREE = file(1), file(2), file(3)


def test_files_that_have_not_run_are_pending_in_order() -> None:
    assert pending([], [ONE, TWO]) == [ONE, TWO]
    assert pending(done(ONE), [ONE, TWO, THREE]) == [TWO, THREE]
    assert pending(done(ONE, ONE, TWO), [ONE, TWO]) == []
    assert pending([], []) == []


@pytest.mark.parametrize(
    ("past", "files", "text"),
    [
        (
            [ONE],
            [replace(ONE, text="-- Two.")],
            "sql/001_table_x.sql: already applied with other content (as sql/001_table_x.sql); "
            "restore it, and add a new file instead of editing it.",
        ),
        (
            [ONE, TWO],
            [TWO],
            "sql/001_table_x.sql: applied, but missing on disk; restore it from version control.",
        ),
        (
            [ONE, THREE],
            [ONE, TWO, THREE],
            "sql/002_table_x.sql: comes before 003, which is applied; give it the next number.",
        ),
    ],
)
def test_a_changed_or_missing_file_is_refused(
    past: list[SqlFile], files: list[SqlFile], text: str
) -> None:
    with pytest.raises(MigrationError) as error:
        pending(done(*past), files)
    assert str(error.value) == text


def test_a_file_may_be_renamed_but_not_renumbered() -> None:
    assert pending(done(ONE), [replace(ONE, place="sql/001_table_y.sql")]) == []
    with pytest.raises(MigrationError, match="missing on disk"):
        pending(done(ONE), [replace(ONE, number=5)])


def test_each_file_runs_once_in_order_and_is_recorded(client: Client, database: str) -> None:
    lines: list[str] = []
    files = [create(database, number) for number in (1, 2)]
    assert migrations.migrate(client, database, files, lines.append) == 2
    assert lines == ["applied sql/001_table_x.sql", "applied sql/002_table_x.sql"]
    files.append(create(database, 10))
    assert migrations.migrate(client, database, files, lines.append) == 1
    assert migrations.migrate(client, database, files, lines.append) == 0
    assert applied(client, database) == [1, 2, 10]
    query = f"SELECT checksum, sql FROM {database}.schema_migrations ORDER BY number"
    assert client.query(query).result_rows == [(migrations.checksum(f), f.text) for f in files]
    assert locks(client, database) == 0


def test_settings_are_filled_in_and_the_checksum_is_the_files_own(
    client: Client, database: str
) -> None:
    named = file(1, "CREATE TABLE ${CLICKHOUSE_DATABASE}.t1 (a Int8) ENGINE = Memory")
    variables = {"CLICKHOUSE_DATABASE": database}
    assert migrations.migrate(client, database, [named], print, variables) == 1
    query = f"SELECT checksum, sql FROM {database}.schema_migrations"
    ran = f"CREATE TABLE {database}.t1 (a Int8) ENGINE = Memory"
    assert client.query(query).result_rows == [(migrations.checksum(named), ran)]
    assert client.command(f"SELECT count() FROM {database}.t1") == 0
    assert migrations.migrate(client, database, [named], print, {}) == 0


def test_an_unknown_setting_is_refused_before_anything_runs(client: Client, database: str) -> None:
    wrong = file(2, "-- One.\nCREATE TABLE ${CLICKHOUSE_DATABASES}.t2 (a Int8) ENGINE = Memory")
    with pytest.raises(
        SqlFileError, match=r"^sql/002_table_x\.sql:2: \$\{CLICKHOUSE_DATABASES\} is"
    ):
        migrations.migrate(client, database, [create(database, 1), wrong], print, {"A": "b"})
    assert applied(client, database) == [] and locks(client, database) == 0


def test_the_database_is_created(client: Client, database: str) -> None:
    new = f"{database}_new"
    assert migrations.migrate(client, new, [create(new, 1)], print) == 1


def test_a_database_that_a_file_names_is_created_and_reported(
    client: Client, database: str
) -> None:
    lines: list[str] = []
    texts = [
        "CREATE TABLE IF NOT EXISTS `{0}-sensors`.${{CLICKHOUSE_USER}} (a Int8) ENGINE = Memory",
        "CREATE VIEW `{0}-sensors`.v AS SELECT 1",
        "CREATE VIEW {0}.w AS SELECT 1",
    ]
    files = [file(number, text.format(database)) for number, text in enumerate(texts, 1)]
    assert migrations.migrate(client, database, files, lines.append, {"CLICKHOUSE_USER": "me"}) == 3
    assert lines[:2] == [f"database `{database}-sensors`: made", "applied sql/001_table_x.sql"]
    assert len(lines) == 4
    assert client.query(f"SELECT count() FROM `{database}-sensors`.me").result_rows == [(0,)]


def test_a_failing_statement_stops_the_run_and_runs_again_when_fixed(
    client: Client, database: str
) -> None:
    files = [create(database, 1), file(2, "CREATE TABLE nonsense"), create(database, 3)]
    with pytest.raises(MigrationError, match=r"sql/002_table_x.sql: ClickHouse refuses it: ") as e:
        migrations.migrate(client, database, files, print)
    assert str(e.value).endswith("; fix the file.") and "\n" not in str(e.value)
    assert applied(client, database) == [1] and locks(client, database) == 0
    files[1] = create(database, 2)
    assert migrations.migrate(client, database, files, print) == 2
    assert applied(client, database) == [1, 2, 3]


def test_a_statement_whose_record_is_missing_runs_again(client: Client, database: str) -> None:
    """As a kill between the two leaves it: statements say IF NOT EXISTS, so it does no harm."""
    again = file(1, f"CREATE TABLE IF NOT EXISTS {database}.t1 (a Int8) ENGINE = Memory")
    client.command(again.text)
    assert migrations.migrate(client, database, [again], print) == 1
    assert applied(client, database) == [1]


def test_migrators_at_once_run_each_file_once(
    client: Client, clickhouse: ClickHouse, database: str
) -> None:
    # Without IF NOT EXISTS: a second run would fail.
    files = [create(database, number) for number in range(1, 5)]
    counts: list[int] = []

    def migrate() -> None:
        mine = connections.connect(clickhouse)
        counts.append(migrations.migrate(mine, database, files, lambda text: None))

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 0, 4]
    assert applied(client, database) == [1, 2, 3, 4] and locks(client, database) == 0
