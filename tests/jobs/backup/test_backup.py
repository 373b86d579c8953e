"""Backup and restore of a ClickHouse of the test's own, with our schema and a saved state."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from jobs import job as jobs
from jobs.backup import backup, command, manifest, restore, tables
from lib import clickhouse, conf, locks, migrations
from lib.errors import BackupError, MigrationError, ServiceError, SetupError
from lib.settings import Settings
from tests.conftest import Server, serving

FILL = (
    "INSERT INTO stocks.ticks (symbol, price, volume, timestamp, kafka_partition, kafka_offset,"
    " kafka_timestamp, inserted_by) SELECT 'A', 1, number, toDateTime64(number, 6), 0, number,"
    " now64(3), 'stocks/ticks' FROM numbers({})"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("clickhouse") / "data") as server:
        yield server


@pytest.fixture
def config(server: Server, tmp_path: Path) -> Settings:
    """Settings with our tables in that server, which hold 100 rows, and a state of a job."""
    settings = msgspec.structs.replace(
        conf.load(environ={}), data_dir=tmp_path / "var", clickhouse=server.settings
    )
    client = clickhouse.connect(settings.clickhouse)
    migrations.migrate_all(client, settings, lambda _: None)
    for table in ("ticks", "latest"):
        client.command(f"TRUNCATE TABLE stocks.{table}")
    client.command(FILL.format(100))
    state = settings.data_dir / "flink" / "stocks" / "version" / "id" / "chk-1"
    state.mkdir(parents=True)
    (state / "_metadata").write_text("state")
    return settings


@pytest.fixture
def client(config: Settings) -> Client:
    return clickhouse.connect(config.clickhouse)


def count(client: Client, table: str) -> int:
    return int(client.query(f"SELECT count() FROM {table} FINAL").result_rows[0][0])


def test_a_restore_brings_back_what_the_backup_holds(
    config: Settings, client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "backups" / "one"
    command.make(config, str(folder))
    assert "rows in 13 tables and views, the state of jobs: stocks" in capsys.readouterr().out
    client.command(FILL.format(500))
    (config.data_dir / "flink" / "stocks" / "later").mkdir()
    with pytest.raises(BackupError, match=r"stocks\.\w+ has [0-9,]+ rows; restore into an empty"):
        command.restore_from(config, str(folder), replace=False)
    command.restore_from(config, str(folder), replace=True)
    assert "are not in the backup: the job reads them from Kafka" in capsys.readouterr().out
    assert count(client, "stocks.ticks") == 100
    # The views work as before.
    client.command("INSERT INTO stocks.ticks SELECT * REPLACE ('B' AS symbol) FROM stocks.ticks")
    assert count(client, "stocks.latest") == 2
    states = config.data_dir / "flink" / "stocks"
    assert [path.name for path in states.iterdir()] == ["version"]
    assert (states / "version" / "id" / "chk-1" / "_metadata").read_text() == "state"
    assert not [*config.data_dir.glob("*.new")]


def test_a_saved_state_without_rows_is_not_replaced_unasked(
    config: Settings, client: Client, tmp_path: Path
) -> None:
    backup.run(config, tmp_path / "backup")
    client.command("DROP DATABASE stocks SYNC")
    with pytest.raises(BackupError, match=r"var/flink: has saved state; .* ARGS=--replace"):
        restore.run(config, tmp_path / "backup", replace=False)


def test_tables_are_copied_before_those_that_depend_on_them(
    config: Settings, client: Client
) -> None:
    names = tables.rows(client, ["stocks"])
    grouped = tables.groups(client, ["stocks"], "stocks", names)
    assert grouped["collected"] == [("stocks", "collected_offsets")]
    assert grouped["tracked"] == [("stocks", "ticks")]
    assert {("stocks", name) for name in ("dead_letters", "latest", "latest_of_ticks")} < {
        *grouped["others"]
    }


def test_a_folder_that_exists_is_not_overwritten(config: Settings, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r": exists; name a new folder"):
        backup.run(config, tmp_path)


def test_two_backups_do_not_write_to_one_folder(config: Settings, tmp_path: Path) -> None:
    (tmp_path / "one.partial").mkdir()
    with pytest.raises(BackupError, match=r"one.partial: another backup is written there, or was"):
        backup.run(config, tmp_path / "one")


def test_a_backup_that_fails_leaves_nothing(
    config: Settings, client: Client, server: Server, tmp_path: Path
) -> None:
    """A file of a table is missing on ClickHouse's disk."""
    paths = "SELECT path FROM system.parts WHERE active AND database = 'stocks' AND table = 'ticks'"
    (part,) = client.query(paths).result_rows[0]
    shutil.rmtree(part)
    with pytest.raises(BackupError, match=r"tracked: ClickHouse at .*; fix that in ClickHouse"):
        backup.run(config, tmp_path / "one")
    assert [path.name for path in tmp_path.iterdir()] == ["var"]


def test_a_damaged_backup_changes_nothing(config: Settings, client: Client, tmp_path: Path) -> None:
    backup.run(config, tmp_path / "backup")
    data = tmp_path / "backup" / "clickhouse" / "tracked" / "data"
    file = next(path for path in data.rglob("*") if path.is_file())
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(BackupError, match="not as it was written"):
        restore.run(config, tmp_path / "backup", replace=True)
    assert count(client, "stocks.ticks") == 100
    assert [*config.data_dir.rglob("_metadata")]


def test_a_backup_whose_states_are_newer_than_its_data_changes_nothing(
    config: Settings, client: Client, tmp_path: Path
) -> None:
    made = backup.run(config, tmp_path / "backup")
    assert made.states_at < made.data_at
    swapped = msgspec.structs.replace(made, states_at=made.data_at, data_at=made.states_at)
    manifest.write(tmp_path / "backup", swapped)
    with pytest.raises(BackupError, match="saved states are newer than its data, so that records"):
        restore.run(config, tmp_path / "backup", replace=True)
    assert count(client, "stocks.ticks") == 100


def test_a_backup_of_another_schema_changes_nothing(
    config: Settings, client: Client, tmp_path: Path
) -> None:
    backup.run(config, tmp_path / "backup")
    (tmp_path / "sql" / "clickhouse").mkdir(parents=True)
    (tmp_path / "sql" / "clickhouse" / "001_table_t.sql").write_text(
        "-- One row.\nCREATE TABLE stocks.t (a Int64) ENGINE = MergeTree ORDER BY a"
    )
    other = msgspec.structs.replace(config, sql_dir=tmp_path / "sql")
    with pytest.raises(MigrationError, match="already applied with other content"):
        restore.run(other, tmp_path / "backup", replace=True)
    assert count(client, "stocks.ticks") == 100


def test_a_job_that_runs_keeps_a_backup_from_being_restored(
    config: Settings, tmp_path: Path
) -> None:
    backup.run(config, tmp_path / "backup")
    with (
        locks.held(jobs.lock_file(config, "stocks"), "job stocks", "stop it."),
        pytest.raises(SetupError, match=r"job stocks runs already .*make stop-job JOB=stocks"),
    ):
        restore.run(config, tmp_path / "backup", replace=True)


def test_a_replay_of_dead_letters_keeps_a_backup_from_being_made(
    config: Settings, tmp_path: Path
) -> None:
    """It would be copied with the dead letters, and without the rows."""
    with (
        locks.held(jobs.replay_lock_file(config, "stocks"), "a replay", "wait."),
        pytest.raises(SetupError, match=r"a replay of job stocks runs already .*; wait until it"),
    ):
        backup.run(config, tmp_path / "backup")


@pytest.mark.parametrize("name", ["TO", "FROM"])
def test_a_folder_must_be_named(name: str) -> None:
    with pytest.raises(BackupError, match=f"{name}: not given; name a folder: make .* {name}="):
        if name == "TO":
            command.make(conf.load(environ={}), "")
        else:
            command.restore_from(conf.load(environ={}), "", replace=False)


def test_a_clickhouse_without_tables_or_that_does_not_answer_is_an_error(
    config: Settings, client: Client, tmp_path: Path
) -> None:
    client.command("DROP DATABASE stocks SYNC")
    with pytest.raises(BackupError, match=r"has no table in stocks, so that there is nothing"):
        backup.run(config, tmp_path / "backup")
    away = msgspec.structs.replace(
        config, clickhouse=msgspec.structs.replace(config.clickhouse, port=1)
    )
    with pytest.raises(ServiceError, match="does not answer"):
        backup.run(away, tmp_path / "backup")


def test_a_server_that_allows_no_folder_gets_a_remedy() -> None:
    """Any other server than the embedded one, unless it is configured."""
    fact = "The 'backups.allowed_path' configuration parameter is not set"
    error = tables.refused(conf.load(environ={}).clickhouse, Path("b"), fact)
    assert "set backups.allowed_path in its configuration to a folder above it" in str(error)
