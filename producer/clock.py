"""Time and signals: a clock whose sleep ends when the process is asked to stop."""

import signal
import time
from datetime import UTC, datetime

# Python finishes a sleep that a signal interrupts, so a long one is cut in slices.
SLICE = 0.1


class Clock:
    """Now, sleep, and how often SIGINT or SIGTERM came."""

    def __init__(self) -> None:
        # A plain number: a signal handler that takes a lock, like an Event's, can deadlock.
        self.signals = 0

    def listen(self) -> None:
        """Turn SIGINT and SIGTERM into `stopped`, so that what was sent is still accounted for."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop())

    def stop(self) -> None:
        self.signals += 1

    @property
    def stopped(self) -> bool:
        return self.signals > 0

    def now(self) -> float:
        """Seconds of a clock that never jumps."""
        return time.monotonic()

    def utc(self) -> datetime:
        return datetime.now(UTC).replace(tzinfo=None)

    def sleep(self, seconds: float) -> None:
        """Sleep, or return early when a signal comes meanwhile."""
        signals, end = self.signals, self.now() + seconds
        while self.signals == signals and (left := end - self.now()) > 0:
            time.sleep(min(left, SLICE))
