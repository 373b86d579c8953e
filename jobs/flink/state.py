"""A job's saved state: savepoints and checkpoints, apart for each version of its SQL.

State belongs to a plan. When a file of the job changes, the job starts from its sources again, and
the sink leaves out what is stored already; when the change is taken back, the old state fits again.
"""

from pathlib import Path

# Beside the state: its time is when the job last began at its sources.
_BEGUN = "begun"


def newest(folder: Path) -> Path | None:
    """The newest complete savepoint or checkpoint since the job last began at its sources, or None.
    Flink writes _metadata last."""
    note = folder / _BEGUN
    begun = note.stat().st_mtime_ns if note.exists() else 0
    times = {path.parent: path.stat().st_mtime_ns for path in folder.rglob("_metadata")}
    found = [path for path, time in times.items() if time >= begun]
    return max(found, key=times.__getitem__, default=None)


def each_newest(job_folder: Path) -> list[Path]:
    """The newest of each version of the job."""
    return [saved for folder in job_folder.glob("*/") if (saved := newest(folder))]


def begin(folder: Path) -> None:
    """Note that the job begins at its sources; older state is past."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _BEGUN).touch()


def begin_all(job_folder: Path) -> None:
    """The same for every version of the job, whose saved offsets mean other records now."""
    for saved in job_folder.glob("*/"):
        begin(saved)


def options(folder: Path, resume: Path | None) -> dict[str, str]:
    """Flink's options for saving state here and for beginning with what was saved."""
    begin = {"execution.state-recovery.path": resume.as_uri()} if resume else {}
    return {"execution.checkpointing.dir": folder.as_uri(), **begin}
