"""Keeps jobs, and replays of dead letters, of this machine from running."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack

from jobs import job as jobs
from lib.settings import Settings


def names(config: Settings, others: Iterable[str] = ()) -> list[str]:
    """The jobs that have SQL or saved state here, and others."""
    folders = [*config.data_dir.glob("flink/*/"), *config.sql_dir.glob("flink/*/")]
    return sorted({*others, *(folder.name for folder in folders)})


def of_replays(config: Settings, jobs_here: Iterable[str]) -> ExitStack:
    """Let no replay run until the end of the block; raise SetupError for one that runs."""
    return _all(jobs.replay_held(config, name) for name in jobs_here)


def of_jobs(config: Settings, jobs_here: Iterable[str]) -> ExitStack:
    """Let no job run until the end of the block; raise SetupError for one that runs."""
    return _all(jobs.held(config, name) for name in jobs_here)


def _all(locked: Iterable[AbstractContextManager[None]]) -> ExitStack:
    with ExitStack() as held:
        for lock in locked:
            held.enter_context(lock)
        return held.pop_all()
