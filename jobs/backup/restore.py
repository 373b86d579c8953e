"""Restores a backup: the data, then the states of the jobs, which must not be newer than it."""

from pathlib import Path

from clickhouse_connect.driver.client import Client

from jobs.backup import exclusion, manifest, progress, states, tables
from jobs.backup.backup import DATA, STATES
from jobs.backup.manifest import Manifest
from lib import clickhouse, migrations, sqlfiles
from lib.errors import BackupError
from lib.files import show
from lib.migrations import Applied
from lib.settings import Settings

# A table that `make up` fills.
_MIGRATIONS = "schema_migrations"


def run(config: Settings, folder: Path, replace: bool) -> Manifest:
    """Put a backup in the place of all tables and states. Raise BackupError, and change nothing, if
    the backup is damaged, if its migrations are not those on disk, or if there is data already,
    unless `replace` is true."""
    backup = manifest.read(folder)
    client = clickhouse.connect(config.clickhouse)
    names = exclusion.names(config, backup.jobs)
    with (
        clickhouse.explained(config.clickhouse),
        exclusion.of_jobs(config, names),
        exclusion.of_replays(config, names),
        progress.shown() as bar,
    ):
        _check_order(folder, backup)
        _check_schema(config, backup)
        if not replace:
            _check_empty(client, config, backup)
        with bar.step("verifying", sum(each.size for each in backup.files.values())) as done:
            manifest.verify(folder, backup, done)
        # A state that is newer than the data would leave out records, so it is removed first.
        states.remove(config.data_dir / "flink")
        tables.make_databases(client, backup.databases)
        for group in tables.RESTORED:
            if (folder / DATA / group).is_dir():
                with bar.step(f"restoring {group}", None):
                    tables.restore(client, config.clickhouse, folder / DATA / group, lambda: None)
        _check_tables(client, backup)
        states.restore(folder / STATES, config.data_dir / "flink")
        migrations.migrate_all(client, config, lambda _: None)
    return backup


def _check_order(folder: Path, backup: Manifest) -> None:
    """Raise BackupError if a state may have read records that the data lacks."""
    if backup.states_at > backup.data_at:
        raise BackupError(
            f"{show(folder)}: its saved states are newer than its data, so that records between "
            "them would be lost; take another backup."
        )


def _check_schema(config: Settings, backup: Manifest) -> None:
    """Raise MigrationError if a file that had run is missing here, or is another."""
    done = [Applied(each.number, each.file, each.checksum) for each in backup.migrations]
    migrations.pending(done, sqlfiles.load(config.sql_dir / "clickhouse"))


def _check_empty(client: Client, config: Settings, backup: Manifest) -> None:
    remedy = "restore into an empty one, or replace what is there with ARGS=--replace."
    for (database, name), rows in tables.rows(client, backup.databases).items():
        if rows and name != _MIGRATIONS:
            raise BackupError(
                f"ClickHouse at {config.clickhouse.address}: {database}.{name} has {rows:,} rows; "
                f"{remedy}"
            )
    if states.has_any(config.data_dir / "flink"):
        raise BackupError(f"{show(config.data_dir / 'flink')}: has saved state; {remedy}")


def _check_tables(client: Client, backup: Manifest) -> None:
    restored = {".".join(name) for name in tables.rows(client, backup.databases)}
    if missing := backup.tables.keys() - restored:
        raise BackupError(
            f"ClickHouse has no {', '.join(sorted(missing))} after the restore; restore again."
        )
