"""Makes a backup: the states of the jobs, then the data, then the manifest; whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client

from jobs.backup import exclusion, manifest, progress, states, tables
from jobs.backup.manifest import Manifest, Migration
from jobs.backup.progress import Bar
from lib import clickhouse, migrations, sqlfiles
from lib.errors import BackupError
from lib.files import show
from lib.settings import Settings

# Below the folder of a backup.
STATES = "flink"
DATA = "clickhouse"


def run(config: Settings, to: Path) -> Manifest:
    """Write a backup to a new folder; raise BackupError, and leave nothing, if it is not complete.

    A state that is not newer than the data fits it: records that are read again are stored, and
    left out. So the states are copied first. The jobs may run meanwhile."""
    client = clickhouse.connect(config.clickhouse)
    with (
        clickhouse.explained(config.clickhouse),
        # A replay stores rows first and marks their dead letters then, which are copied later.
        exclusion.of_replays(config, exclusion.names(config)),
        _whole(to) as folder,
        progress.shown() as bar,
    ):
        states_at = datetime.now(UTC)
        jobs = states.copy(config.data_dir / "flink", folder / STATES)
        databases = _databases(config)
        data_at = datetime.now(UTC)
        counts = _backup_tables(client, config, databases, folder / DATA, bar)
        with bar.step("verifying", progress.size(folder)) as done:
            files = manifest.contents(folder, done)
        made = Manifest(
            layout=manifest.LAYOUT,
            states_at=states_at,
            data_at=data_at,
            clickhouse=str(client.server_version),
            databases=databases,
            tables=counts,
            migrations=[
                Migration(past.number, past.file, past.checksum)
                for past in migrations.applied(client, config.clickhouse.database)
            ],
            jobs=jobs,
            files=files,
        )
        manifest.write(folder, made)
    return made


def _databases(config: Settings) -> list[str]:
    """The databases of the migrations, as SQL writes them."""
    files = sqlfiles.load(config.sql_dir / "clickhouse")
    named = {file.database.strip('`"') for file in files if file.database}
    return sorted({config.clickhouse.database, *named})


def _backup_tables(
    client: Client, config: Settings, databases: list[str], to: Path, bar: Bar
) -> dict[str, int | None]:
    counts: dict[str, int | None] = {}
    names = tables.rows(client, databases)
    if not names:
        raise BackupError(
            f"ClickHouse at {config.clickhouse.address}: has no table in {', '.join(databases)}, "
            "so that there is nothing to back up; see clickhouse.host and clickhouse.port."
        )
    grouped = tables.groups(client, databases, config.clickhouse.database, names)
    total = client.query(
        "SELECT sum(bytes_on_disk) FROM system.parts"
        " WHERE active AND has({databases:Array(String)}, database)",
        parameters={"databases": databases},
    ).result_rows[0][0]
    with bar.step("copying", total) as done:
        seen = 0

        def look() -> None:
            nonlocal seen
            before, seen = seen, progress.size(to)
            done(seen - before)

        for group in tables.ORDER:
            if grouped[group]:
                counts |= {".".join(name): names[name] for name in grouped[group]}
                tables.backup(client, config.clickhouse, grouped[group], to / group, look)
    return counts


@contextmanager
def _whole(to: Path) -> Iterator[Path]:
    """A new folder that gets its name when it is complete, and is removed if it is not."""
    partial = to.with_name(f"{to.name}.partial")
    if to.exists():
        raise BackupError(f"{show(to)}: exists; name a new folder.")
    try:
        partial.mkdir(parents=True)
    except FileExistsError as error:
        raise BackupError(
            f"{show(partial)}: another backup is written there, or was killed; remove it if none "
            "runs."
        ) from error
    except OSError as error:
        raise BackupError(f"{show(to)}: {error}; name another folder.") from error
    try:
        yield partial
        partial.rename(to)
    except OSError as error:
        raise BackupError(f"{show(to)}: not written: {error}; make room, or fix that.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
