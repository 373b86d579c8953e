"""The stock job's SQL into Flink's blackhole: its source and views, without the sink."""

import os
import shutil
import sys
from pathlib import Path

from lib.conf import ROOT

JOB = "blackhole"


def main() -> None:
    """Run the job until it is killed, from a copy of sql/ in BENCH_STATE."""
    copy = sql_folder(Path(os.environ["BENCH_STATE"]) / "sql")
    os.environ["MILLRACE_SQL_DIR"] = str(copy)
    os.execv(sys.executable, [sys.executable, "-m", "jobs", "run", JOB])


def sql_folder(copy: Path) -> Path:
    """A copy of sql/ with the job in it; one that is there is kept."""
    if not copy.exists():
        shutil.copytree(ROOT / "sql", copy)
        job = shutil.copytree(copy / "flink" / "stocks", copy / "flink" / JOB)
        for file in job.glob("[89]*.sql"):
            file.unlink()
        for file in (ROOT / "bench" / "limits" / "sql").glob("*.sql"):
            shutil.copy(file, job)
    return copy


if __name__ == "__main__":
    main()
