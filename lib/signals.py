"""Count SIGINT and SIGTERM, so that a program can stop at a safe point."""

import os
import signal
import time
from collections.abc import Callable
from math import inf

STOPS = (signal.SIGINT, signal.SIGTERM)

# Python resumes a sleep that a signal interrupts, so a long one is cut into slices, in seconds.
SLICE = 0.1


def handle(handler: Callable[[int], object]) -> None:
    """Call the handler with the number of each SIGINT or SIGTERM, even if the parent ignores them,
    as a shell does for its background jobs."""
    for number in STOPS:
        signal.signal(number, lambda number, frame: handler(number))


class Signals:
    """The count of both signals. A plain number: a handler that takes a lock, as an Event does, can
    deadlock with the wait that it interrupts."""

    def __init__(self) -> None:
        self.count = 0

    def listen(self, *, end_at_second: bool = False) -> None:
        """Count from now on; with `end_at_second`, the second signal ends the process at once."""

        def come(number: int) -> None:
            if end_at_second and self.count:
                os._exit(128 + number)
            self.add()

        handle(come)

    def interrupt(self, error: Callable[[], BaseException]) -> None:
        """Count from now on, and raise an error at each signal. Python drops what a finalizer
        raises, so check the count as well."""

        def come(number: int) -> None:
            self.add()
            raise error()

        handle(come)

    def add(self) -> None:
        """Count one more, as if a signal came."""
        self.count += 1

    def sleep(self, seconds: float) -> None:
        """Sleep; return early when a signal comes."""
        count, end = self.count, time.monotonic() + seconds
        while self.count == count and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, SLICE))

    def wait(self, seconds: float = inf) -> bool:
        """Wait for a signal, but no longer than this; return whether one has come."""
        if not self.count:
            self.sleep(seconds)
        return self.count > 0
