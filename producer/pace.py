"""When the next tick is due: schedules against a clock that is handed in."""

from dataclasses import dataclass

# Later than this is a stall (Kafka away, a sleeping laptop): go on from there, without a burst.
# Anything shorter is made up for, so that the rate holds.
STALL = 1.0
# Sleeping for less costs more than it gives: two ticks may come a millisecond too early.
SHORTEST = 0.001


@dataclass(slots=True)
class Pace:
    """A schedule that begins at `start`; times of ticks are seconds after it, so nothing drifts."""

    start: float

    def delay(self, due: float, now: float) -> float:
        """Seconds to wait at `now` for what is due `due` seconds after the start."""
        early = self.start + due - now
        if early < -STALL:
            self.start -= early
        return early if early >= SHORTEST else 0.0


@dataclass(slots=True)
class Reminder:
    """When to say again that something is waited for: at 2 s, 4 s, 8 s ... then every minute."""

    after: float = 2.0

    def due(self, waited: float) -> bool:
        if waited < self.after:
            return False
        self.after = waited + min(waited, 60.0)
        return True
