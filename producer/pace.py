"""Schedules: when the next tick is due, and when to report a wait again."""

from dataclasses import dataclass

# A longer delay is a stall (Kafka unavailable, a sleeping laptop): continue from there without a
# burst. A shorter one is made up for, so that the rate holds.
STALL = 1.0
# A shorter sleep costs more than it gains: a tick may come a millisecond too early.
SHORTEST = 0.001


@dataclass(slots=True)
class Pace:
    """A schedule; ticks are due in seconds after its start, so that it does not drift."""

    start: float

    def delay(self, due: float, now: float) -> float:
        """Seconds to wait at `now` for what is due `due` seconds after the start."""
        early = self.start + due - now
        if early < -STALL:
            self.start -= early
        return early if early >= SHORTEST else 0.0


@dataclass(slots=True)
class Reminder:
    """When to report a wait again: after 2 s, 4 s, 8 s ... then every minute."""

    after: float = 2.0

    def due(self, waited: float) -> bool:
        if waited < self.after:
            return False
        self.after = waited + min(waited, 60.0)
        return True
