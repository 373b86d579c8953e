"""The goals of the project for speed, and what a run says of each."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.contenders import BASELINE, OURS
from bench.figures import Run, at_rest, cost_ratio, delay, known, rate_ratio, started

# The peers that are written in Python.
IN_PYTHON = ("loop", "loop-kafka-python", "spark", "quix", "bytewax", "record")


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that should not be below, or not above, a limit."""

    what: str
    limit: float
    unit: str
    value: Callable[[Run], float | None]
    is_lowest: bool = True

    @property
    def wanted(self) -> str:
        return f"{'at least' if self.is_lowest else 'at most'} {self.shown(self.limit)}"

    def is_reached(self, value: float) -> bool:
        return value >= self.limit if self.is_lowest else value <= self.limit

    def shown(self, value: float) -> str:
        digits = 2 if value < 100 and value != int(value) else 0
        # A value beside its limit must not look like it.
        if value != self.limit and f"{value:.{digits}f}" == f"{self.limit:.{digits}f}":
            digits += 2
        return f"{value:,.{digits}f} {self.unit}".strip()


def fastest_in_python(run: Run) -> float | None:
    """How fast ours drains, by the fastest peer in Python."""
    found = known([rate_ratio(run, OURS, name) for name in IN_PYTHON])
    return min(found) if found else None


GOALS = (
    Goal("drain, by the plain loop", 1.6, "", lambda run: rate_ratio(run, OURS, BASELINE)),
    Goal("drain, by Spark", 1.6, "", lambda run: rate_ratio(run, OURS, "spark")),
    Goal("drain, by Flink alone", 0.9, "", lambda run: rate_ratio(run, OURS, "limit-flink")),
    Goal("drain, by the fastest peer in Python", 1.0, "", fastest_in_python),
    Goal("drain, by record by record", 1_000, "", lambda run: rate_ratio(run, OURS, "record")),
    Goal("cost of a tick, by the plain loop", 1.5, "", lambda run: cost_ratio(run, OURS), False),
    Goal("p50 at 1,000 a second", 50, "ms", lambda run: delay(run, OURS, 1_000, "p50_ms"), False),
    Goal("p99 at 1,000 a second", 150, "ms", lambda run: delay(run, OURS, 1_000, "p99_ms"), False),
    Goal(
        "p99 at 50,000 a second", 1_000, "ms", lambda run: delay(run, OURS, 50_000, "p99_ms"), False
    ),
    Goal("start of a job to its first row, warm", 10, "s", started, False),
    Goal("memory of the stack at rest", 2_500, "MB", at_rest, False),
)
