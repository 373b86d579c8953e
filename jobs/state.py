"""A job's saved state: savepoints and checkpoints, apart for each version of its SQL.

State belongs to a plan. When a file of the job changes, the job starts from its sources again, and the
sink leaves out what is stored already; when the change is taken back, the old state fits again.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from lib.sqlfiles import SqlFile, without_comments


def folder(data_dir: Path, job: str, files: Sequence[SqlFile]) -> Path:
    """Where this version of the job keeps its state."""
    return data_dir / "flink" / job / version(files)


def version(files: Sequence[SqlFile]) -> str:
    """The same for files that say the same: comments and white space do not count."""
    text = "\0".join(" ".join(without_comments(file.text).split()) for file in files)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def newest(folder: Path) -> Path | None:
    """The newest complete savepoint or checkpoint, or None. Flink writes _metadata last."""
    found = list(folder.rglob("_metadata"))
    return max(found, key=lambda path: path.stat().st_mtime_ns).parent if found else None


def options(folder: Path, resume: Path | None) -> dict[str, str]:
    """Flink's options for saving state here and for beginning with what was saved."""
    begin = {"execution.state-recovery.path": resume.as_uri()} if resume else {}
    return {"execution.checkpointing.dir": folder.as_uri(), **begin}
