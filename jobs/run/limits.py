"""Stops a job that has more dead letters than the settings allow."""

import time
from collections import deque

from jobs.run.status import JobStatus
from lib.errors import JobError
from lib.settings import DeadLetters

# The time over which they are counted, in seconds.
WINDOW = 60.0

# Below this number of records a percentage means nothing: the very first may be a bad one.
MIN_RECORDS = 100


class DeadLetterLimits:
    """Counts the records and the dead letters of the last minute of a run."""

    def __init__(self, settings: DeadLetters) -> None:
        self._settings = settings
        # A time, and the records and dead letters since the status before.
        self._window: deque[tuple[float, float, float]] = deque()
        self._before = 0.0, 0.0

    def check(self, now: JobStatus) -> None:
        """Raise JobError if the dead letters exceed a limit of the settings."""
        self._count(now)
        records, dead = (sum(each[column] for each in self._window) for column in (1, 2))
        most, percent = self._settings.max_per_minute, self._settings.max_percent
        if most is not None and dead > most:
            raise JobError(_stopped(f"{dead:,.0f} within a minute", f"max_per_minute is {most:,}"))
        if percent is not None and records >= MIN_RECORDS and 100 * dead > percent * records:
            fact = f"{dead:,.0f} of {records:,.0f} records within a minute"
            raise JobError(_stopped(fact, f"max_percent is {percent:g}"))

    def _count(self, now: JobStatus) -> None:
        counts = now.records, now.dead_letters
        # A job that Flink restarts counts from 0.
        records, dead = (max(a - b, 0.0) for a, b in zip(counts, self._before, strict=True))
        self._before = counts
        at = time.monotonic()
        self._window.append((at, records, dead))
        while self._window[0][0] <= at - WINDOW:
            self._window.popleft()


def _stopped(fact: str, limit: str) -> str:
    return (
        f"dead letters: {fact}, and dead_letters.{limit}; see them with `make dead-letters`, and "
        "correct their producer or the rules, or raise the limit; then start the job again."
    )
