"""Accounts for each record below the last checkpoint, in a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from jobs.accounting.collection import Collection
from lib.errors import JobError, ServiceError
from lib.kafka import Partition

log = logging.getLogger("millrace.collector")

# How long after a failure the next attempt begins, and how long a collection may take before the
# rest is reported as uncollected, in seconds.
RETRY = 2.0
GRACE = 5.0


class Collector:
    """Collects up to each checkpoint. An unavailable service delays it, and never the job."""

    def __init__(
        self, collection: Collection, read: Callable[[Path], Mapping[Partition, int]]
    ) -> None:
        """`read` returns the offsets of a checkpoint; none if they are unknown."""
        self._collection = collection
        self._read = read
        # Why it cannot collect; empty if it can.
        self.problem = ""
        self._refusal: JobError | None = None
        self._changed = threading.Condition()
        self._newest: Path | None = None
        self._done: Path | None = None
        self._behind_since = 0.0
        self._ends: Mapping[Partition, int] = {}
        self._is_closed = False
        threading.Thread(target=self._run, name="collector", daemon=True).start()

    @property
    def unparsed(self) -> int:
        """How many dead letters of the stage parse this run has stored."""
        return self._collection.unparsed

    @property
    def uncollected(self) -> int:
        """How many offsets below the last checkpoint are still not accounted for after GRACE."""
        with self._changed:
            is_behind = self._newest != self._done
            if not is_behind or time.monotonic() - self._behind_since < GRACE:
                return 0
        return self._collection.left(self._ends)

    def check(self) -> None:
        """Raise JobError for the first record that would be a dead letter, if none are kept."""
        if self._refusal:
            raise self._refusal

    def collect(self, checkpoint: Path) -> None:
        """Collect up to a completed checkpoint, unless that is done; never waits."""
        with self._changed:
            if checkpoint == self._newest or not self._collection.accounts:
                return
            if self._newest == self._done:
                self._behind_since = time.monotonic()
            self._newest = checkpoint
            self._changed.notify_all()

    def finish(self, savepoint: Path, limit: float) -> bool:
        """Collect up to a savepoint; return whether that was done within `limit` seconds."""
        self.collect(savepoint)
        with self._changed:
            return self._changed.wait_for(lambda: self._done == self._newest, limit)

    def close(self) -> None:
        """Stop collecting; the next run collects the rest."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        while checkpoint := self._next():
            problem = self._try(checkpoint)
            if problem != self.problem and not self._is_closed:
                log.warning("accounting for records: %s", problem or "continues")
            self.problem = problem
            if not problem:
                with self._changed:
                    self._done = checkpoint
                    self._changed.notify_all()

    def _next(self) -> Path | None:
        """Wait for a checkpoint that is not collected yet, and return it; None at the end."""
        with self._changed:
            if self.problem:
                self._changed.wait_for(lambda: self._is_closed, RETRY)
            self._changed.wait_for(lambda: self._is_closed or self._newest != self._done)
            return None if self._is_closed else self._newest

    def _try(self, checkpoint: Path) -> str:
        """Collect up to a checkpoint; return why that failed, empty if it did not."""
        try:
            if ends := self._read(checkpoint):
                self._ends = ends
            self._collection.collect(self._ends, lambda: not self._is_closed)
        except JobError as error:
            self._refusal = error
            return str(error)
        except ServiceError as error:
            return str(error)
        except Exception as error:
            # A bug of the collector must not end the job.
            log.exception("records are not accounted for")
            return f"records are not accounted for: {error!r}; see the log of the job's Python."
        return ""


@contextmanager
def collecting(
    collection: Collection, read: Callable[[Path], Mapping[Partition, int]]
) -> Iterator[Collector]:
    """A collector that is closed when the block ends."""
    collector = Collector(collection, read)
    try:
        yield collector
    finally:
        collector.close()
