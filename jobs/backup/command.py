"""`python -m jobs backup` and `restore`: what they print."""

from pathlib import Path

from rich.console import Console

from jobs.backup import backup, restore
from jobs.backup.manifest import Manifest
from lib.errors import BackupError
from lib.files import show
from lib.settings import Settings


def make(config: Settings, to: str) -> None:
    """Write a backup and print what it holds."""
    folder = _folder(to, "TO", "backup")
    made = backup.run(config, folder)
    size = sum(content.size for content in made.files.values())
    _console().print(f"{show(folder)}: {_described(made)}, {size / 1e6:,.1f} MB")


def restore_from(config: Settings, folder: str, replace: bool) -> None:
    """Restore a backup and print what is to be done then."""
    restored = restore.run(config, _folder(folder, "FROM", "restore"), replace)
    console = _console()
    console.print(f"restored {_described(restored)}")
    console.print(
        f"the records since {restored.states_at:%Y-%m-%d %H:%M:%S} UTC are not in the backup: the "
        "job reads them from Kafka; run it, then `make audit`"
    )


def _described(made: Manifest) -> str:
    rows = sum(count or 0 for count in made.tables.values())
    names = ", ".join(made.jobs) or "none"
    return f"{rows:,} rows in {len(made.tables)} tables and views, the state of jobs: {names}"


def _folder(text: str, name: str, target: str) -> Path:
    if not text:
        raise BackupError(f"{name}: not given; name a folder: make {target} {name}=<folder>.")
    return Path(text).absolute()


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)
