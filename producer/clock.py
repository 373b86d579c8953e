"""Time and signals: a clock whose sleep ends when the process is asked to stop."""

import time
from datetime import UTC, datetime

from lib.signals import Signals


class Clock:
    """Now, sleep, and how often SIGINT or SIGTERM came."""

    def __init__(self) -> None:
        self._signals = Signals()

    def listen(self) -> None:
        """Turn SIGINT and SIGTERM into `stopped`, so that what was sent is still accounted for."""
        self._signals.listen()

    def stop(self) -> None:
        self._signals.add()

    @property
    def signals(self) -> int:
        return self._signals.count

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
        self._signals.sleep(seconds)
