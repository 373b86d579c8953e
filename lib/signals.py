"""SIGINT and SIGTERM as a wish to end, which a program looks at when it can."""

import os
import signal
import time
from collections.abc import Callable
from math import inf

STOPS = (signal.SIGINT, signal.SIGTERM)

# Python finishes a sleep that a signal interrupts, so a long one is cut in slices, in seconds.
SLICE = 0.1


def handle(what: Callable[[int], object]) -> None:
    """Call `what` with the signal's number whenever SIGINT or SIGTERM comes, also where the process
    that started this one ignores them, as a shell does for what it runs in the background."""
    for number in STOPS:
        signal.signal(number, lambda number, frame: what(number))


class Signals:
    """How often one of them came. A plain number: a handler that takes a lock, as that of an Event,
    can deadlock with the wait that it interrupts."""

    def __init__(self) -> None:
        self.count = 0

    def listen(self, *, end_at_second: bool = False) -> None:
        """Count them from now on; if so asked, the second one ends the process at once."""

        def come(number: int) -> None:
            if end_at_second and self.count:
                os._exit(128 + number)
            self.add()

        handle(come)

    def interrupt(self, error: Callable[[], BaseException]) -> None:
        """Count them from now on, and raise an error wherever one comes. Python drops what is
        raised while a finalizer runs, so look at the count as well."""

        def come(number: int) -> None:
            self.add()
            raise error()

        handle(come)

    def add(self) -> None:
        """As if one came."""
        self.count += 1

    def sleep(self, seconds: float) -> None:
        """Sleep, or return early when one comes meanwhile."""
        count, end = self.count, time.monotonic() + seconds
        while self.count == count and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, SLICE))

    def wait(self, seconds: float = inf) -> bool:
        """Whether one has come; sleep until then, but no longer than this."""
        if not self.count:
            self.sleep(seconds)
        return self.count > 0
