"""A clock whose sleep ends when a signal comes."""

import time
from datetime import UTC, datetime

from lib.signals import Signals


class Clock:
    """The time, a sleep, and the count of SIGINT and SIGTERM."""

    def __init__(self) -> None:
        self._signals = Signals()

    def listen(self) -> None:
        """Count SIGINT and SIGTERM instead of dying, so that outcomes are still counted."""
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
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def utc(self) -> datetime:
        return datetime.now(UTC).replace(tzinfo=None)

    def sleep(self, seconds: float) -> None:
        """Sleep; return early when a signal comes."""
        self._signals.sleep(seconds)
