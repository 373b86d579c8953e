"""`python -m tests.e2e.lose_task_manager FILE run JOB`: as `python -m jobs run JOB`, but for the
task manager of Flink, which ends when FILE appears, as one does at a fatal error.

The cluster is inside that process, so only from there its task manager can be ended.
"""

import sys
import threading
import time
from pathlib import Path
from typing import Any

from jobs.__main__ import main
from jobs.plan import build


def end_task_manager(file: Path, mini_cluster: Any) -> None:
    while not file.exists():
        time.sleep(0.1)
    mini_cluster.terminateTaskManager(0).join()


def run(file: Path) -> None:
    start = build.start

    def start_and_watch(*given: Any) -> Any:
        rest, mini_cluster = start(*given)
        watch = threading.Thread(target=end_task_manager, args=(file, mini_cluster), daemon=True)
        watch.start()
        return rest, mini_cluster

    build.start = start_and_watch
    main(prog_name="python -m jobs")


if __name__ == "__main__":
    run(Path(sys.argv.pop(1)))
