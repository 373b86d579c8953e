"""A job's savepoints and checkpoints, in a folder for each version of its SQL.

State belongs to a plan. When a file of the job changes, the job starts from its sources again, and
the sink leaves out stored records; when the change is reverted, the old state fits again.
"""

from pathlib import Path

# A file beside the state, whose time is that of the last start from the sources.
_STARTED = "begun"


def newest(folder: Path) -> Path | None:
    """The newest complete savepoint or checkpoint since the last start from the sources, or None.
    Flink writes _metadata last."""
    mark = folder / _STARTED
    started = mark.stat().st_mtime_ns if mark.exists() else 0
    times = {path.parent: path.stat().st_mtime_ns for path in folder.rglob("_metadata")}
    valid = [path for path, time in times.items() if time >= started]
    return max(valid, key=times.__getitem__, default=None)


def each_newest(job_folder: Path) -> list[Path]:
    """The newest of each version of the job."""
    return [saved for folder in job_folder.glob("*/") if (saved := newest(folder))]


def begin(folder: Path) -> None:
    """Note that the job starts from its sources: older state is not used again."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _STARTED).touch()


def begin_all(job_folder: Path) -> None:
    """Note it for every version of the job: the saved offsets mean other records now."""
    for saved in job_folder.glob("*/"):
        begin(saved)


def options(folder: Path, resume: Path | None) -> dict[str, str]:
    """Flink's options for saving state here and for resuming from saved state."""
    begin = {"execution.state-recovery.path": resume.as_uri()} if resume else {}
    return {"execution.checkpointing.dir": folder.as_uri(), **begin}
