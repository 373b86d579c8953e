"""The manifest of a backup: a file that lists its contents, by which it is verified."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from lib.errors import BackupError
from lib.files import show

FILE = "manifest.json"

# The layout of the folder, the only one that a restore reads.
LAYOUT = 1


class Content(msgspec.Struct, frozen=True):
    """The size and the SHA-256 of a file."""

    size: int
    sha256: str


class Migration(msgspec.Struct, frozen=True):
    """A migration that had run: a file of sql/clickhouse."""

    number: int
    file: str
    checksum: str


class Manifest(msgspec.Struct, frozen=True):
    """The contents of a backup. The states were copied before the data, or there are none."""

    layout: int
    states_at: datetime
    data_at: datetime
    clickhouse: str
    databases: list[str]
    # How many rows each table had when its backup began; None for a view.
    tables: dict[str, int | None]
    migrations: list[Migration]
    # The saved states of each job.
    jobs: dict[str, list[str]]
    files: dict[str, Content]


def write(folder: Path, manifest: Manifest) -> None:
    """Write the file, last: a folder without it is not a backup."""
    text = msgspec.json.format(msgspec.json.encode(manifest))
    (folder / FILE).write_bytes(text + b"\n")


def read(folder: Path) -> Manifest:
    """The manifest of a backup; raise BackupError for a folder that is not one."""
    file = folder / FILE
    try:
        manifest = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except FileNotFoundError as error:
        raise BackupError(
            f"{show(folder)}: not a backup, for it has no {FILE}; name a folder of `make backup`."
        ) from error
    except msgspec.MsgspecError as error:
        raise BackupError(f"{show(file)}: cannot be read: {error}; take another.") from error
    if manifest.layout != LAYOUT:
        raise BackupError(
            f"{show(file)}: has layout {manifest.layout}, and this version reads {LAYOUT}; restore "
            "it with the version that made it."
        )
    return manifest


def contents(folder: Path, done: Callable[[int], None]) -> dict[str, Content]:
    """The contents of all files of a folder, by path; `done` gets the bytes that were read."""
    return {path: content(folder / path, done) for path in _paths(folder)}


def content(file: Path, done: Callable[[int], None]) -> Content:
    """The content of one file."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    size = file.stat().st_size
    done(size)
    return Content(size, digest)


def verify(folder: Path, manifest: Manifest, done: Callable[[int], None]) -> None:
    """Raise BackupError for the first file that is missing, or not as it was written."""
    for path, expected in manifest.files.items():
        file = folder / path
        if not file.is_file():
            raise BackupError(f"{show(file)}: missing; take another backup.")
        if content(file, done) != expected:
            raise BackupError(f"{show(file)}: not as it was written; take another backup.")


def _paths(folder: Path) -> Iterator[str]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield str(file.relative_to(folder))
