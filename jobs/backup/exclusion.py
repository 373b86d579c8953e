"""Keeps jobs, and replays of dead letters, of this machine from running."""

from collections.abc import Iterable
from contextlib import ExitStack

from jobs import job as jobs
from lib import locks
from lib.settings import Settings


def names(config: Settings, others: Iterable[str] = ()) -> list[str]:
    """The jobs that have SQL or saved state here, and others."""
    folders = [*config.data_dir.glob("flink/*/"), *config.sql_dir.glob("flink/*/")]
    return sorted({*others, *(folder.name for folder in folders)})


def of_replays(config: Settings, jobs_here: Iterable[str]) -> ExitStack:
    """Let no replay run until the end of the block; raise SetupError for one that runs."""
    with ExitStack() as held:
        for name in jobs_here:
            file = jobs.replay_lock_file(config, name)
            held.enter_context(
                locks.held(file, f"a replay of job {name}", "wait until it has ended.")
            )
        return held.pop_all()


def of_jobs(config: Settings, jobs_here: Iterable[str]) -> ExitStack:
    """Let no job run until the end of the block; raise SetupError for one that runs."""
    with ExitStack() as held:
        for name in jobs_here:
            remedy = f"stop it with `make stop-job JOB={name}`."
            held.enter_context(locks.held(jobs.lock_file(config, name), f"job {name}", remedy))
        return held.pop_all()
