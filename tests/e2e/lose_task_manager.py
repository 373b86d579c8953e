"""`python -m tests.e2e.lose_task_manager FILE run JOB`: as `python -m jobs run JOB`, but for the
task manager of Flink, which ends when FILE appears, as one does at a fatal error."""

import sys
import threading
import time
from pathlib import Path
from typing import Any

from jobs import build
from jobs.__main__ import main
from jobs.cluster import Cluster


def end_task_manager(file: Path, cluster: Cluster) -> None:
    while not file.exists():
        time.sleep(0.1)
    cluster.mini_cluster.terminateTaskManager(0).join()


def start(*given: Any) -> Any:
    rest, cluster = start_job(*given)
    threading.Thread(target=end_task_manager, args=(Path(file), cluster), daemon=True).start()
    return rest, cluster


if __name__ == "__main__":
    file = sys.argv.pop(1)
    start_job, build.start = build.start, start
    main(prog_name="python -m jobs")
