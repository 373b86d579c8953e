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

# How long after a failure the next attempt begins, and after how long a collection that has not
# ended is reported as a lag, in seconds.
RETRY = 2.0
GRACE = 5.0


class Collector:
    """Collects up to each checkpoint; an unavailable service delays it, and never the job."""

    def __init__(
        self, collection: Collection, read: Callable[[Path], Mapping[Partition, int]]
    ) -> None:
        """`read` gives the offsets of a checkpoint; none if they are unknown."""
        self._collection = collection
        self._read = read
        # What is wrong; empty if nothing is.
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
    def found(self) -> int:
        """How many records of which the source made no row were found in this run."""
        return self._collection.found

    @property
    def uncollected(self) -> int:
        """How many offsets below the last checkpoint are not accounted for since GRACE."""
        with self._changed:
            is_behind = self._newest != self._done
            if not is_behind or time.monotonic() - self._behind_since < GRACE:
                return 0
        return self._collection.left(self._ends)

    def check(self) -> None:
        """Raise JobError for the first record that would be a dead letter, if none is kept."""
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
        """Collect no more; what is left, the next run collects."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        while checkpoint := self._next():
            problem = self._try(checkpoint)
            if problem != self.problem and not self._is_closed:
                log.warning("accounting for records: %s", problem or "goes on")
            self.problem = problem
            if not problem:
                with self._changed:
                    self._done = checkpoint
                    self._changed.notify_all()

    def _next(self) -> Path | None:
        """The newest checkpoint, as soon as it is to be collected; None at the end."""
        with self._changed:
            if self.problem:
                self._changed.wait_for(lambda: self._is_closed, RETRY)
            self._changed.wait_for(lambda: self._is_closed or self._newest != self._done)
            return None if self._is_closed else self._newest

    def _try(self, checkpoint: Path) -> str:
        """Collect up to a checkpoint; return what is wrong, if anything is."""
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
            # A bug in here must not end the job.
            log.exception("records are not accounted for")
            return f"records are not accounted for: {error!r}; see the log of the job's Python."
        return ""


@contextmanager
def collecting(
    collection: Collection, read: Callable[[Path], Mapping[Partition, int]]
) -> Iterator[Collector]:
    """A collector that ends as the block does."""
    collector = Collector(collection, read)
    try:
        yield collector
    finally:
        collector.close()
