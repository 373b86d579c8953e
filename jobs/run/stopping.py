"""Stops a job that runs on this machine, or retires one that has ended."""

import os
import signal
from collections.abc import Callable

from jobs.job import check_name, lock_file
from jobs.run import lifecycle
from lib import clickhouse, locks
from lib.errors import JobError
from lib.files import show
from lib.settings import Settings
from lib.waiting import until

# How long the job may take to stop, in seconds.
STOP_LIMIT = 300.0


def stop(config: Settings, job: str, say: Callable[[str], object]) -> None:
    """Stop a job with a savepoint; raise JobError if it still runs after STOP_LIMIT."""
    check_name(job)
    file = lock_file(config, job)
    pid = locks.holder(file)
    if pid is None:
        _retire(config, job, say)
        return
    os.kill(pid, signal.SIGTERM)
    say(f"stopping job {job} (process {pid}) with a savepoint")
    if not until(lambda: locks.holder(file) != pid, STOP_LIMIT):
        raise JobError(
            f"job {job}: still runs after {STOP_LIMIT:.0f} s; "
            f"see {show(config.data_dir / 'log')}, or end process {pid}."
        )
    say(f"job {job} stopped")


def _retire(config: Settings, job: str, say: Callable[[str], object]) -> None:
    """Note that a job that has ended need not run again; raise JobError if there is no such job."""
    client = clickhouse.connect(config.clickhouse)
    database, folder = config.clickhouse.database, config.sql_dir / "flink" / job
    with clickhouse.explained(config.clickhouse):
        is_retired = lifecycle.retire(client, database, job)
        if not folder.is_dir() and not lifecycle.has_run(client, database, job):
            raise JobError(f"{show(folder)}: no such folder, and no such job runs; fix JOB.")
    say(f"job {job} does not run")
    if is_retired:
        say(f"job {job} is retired: /health no longer expects it")
