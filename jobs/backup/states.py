"""Copies the saved states of all jobs into a backup, and back."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from jobs.flink import state
from lib.errors import BackupError
from lib.files import show

# How often a state is copied that Flink replaces meanwhile.
ATTEMPTS = 5

# The folders beside a checkpoint with files that several share.
_SHARED = ("shared", "taskowned")


def copy(states: Path, to: Path) -> dict[str, list[str]]:
    """Copy the newest state of each version of each job, and the files about its topics; return the
    paths of the states by job."""
    return {job.name: [*_copy_job(job, to / job.name)] for job in sorted(states.glob("*/"))}


def has_any(states: Path) -> bool:
    """Whether there is a saved state."""
    return any(states.rglob("_metadata"))


def remove(states: Path) -> None:
    """Remove all saved states, so that each job begins at its sources."""
    if states.exists():
        shutil.rmtree(states)


def restore(copied: Path, states: Path) -> None:
    """Put copied states in the place of none, all of them in one step."""
    new = states.with_name(f"{states.name}.new")
    remove(new)
    if copied.exists():
        shutil.copytree(copied, new)
        new.replace(states)


def _copy_job(job: Path, to: Path) -> Iterator[str]:
    # Files first, so that offsets in them are not newer than the states.
    _copy_files(job, to)
    for version in sorted(job.glob("*/")):
        _copy_files(version, to / version.name)
        if copied := _copy_newest(version, to / version.name):
            yield str(copied.relative_to(to.parent))


def _copy_files(folder: Path, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        if file.is_file() and file.suffix != ".new":
            # With its time, by which older states are not used again.
            shutil.copy2(file, to / file.name)


def _copy_newest(version: Path, to: Path) -> Path | None:
    """Copy the newest state of a version, and return where; None without one."""
    for _ in range(ATTEMPTS):
        try:
            newest = state.newest(version)
            if not newest:
                return None
            copied = to / newest.relative_to(version)
            for folder in (newest, *_shared(newest)):
                shutil.copytree(folder, copied.with_name(folder.name))
            return copied
        except (shutil.Error, FileNotFoundError):
            # Flink removes a checkpoint when it has completed the third one after it.
            for folder in to.glob("*/"):
                shutil.rmtree(folder)
    raise BackupError(
        f"{show(version)}: its checkpoints were removed while they were copied; try again, or give "
        "them more time (execution.checkpointing.num-retained in conf/flink.yaml)."
    )


def _shared(newest: Path) -> Iterable[Path]:
    folders = [newest.with_name(name) for name in _SHARED] if newest.name[:4] == "chk-" else []
    return [folder for folder in folders if folder.is_dir()]
