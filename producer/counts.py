"""Counts of the ticks sent and of their outcomes."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """How many ticks Kafka's client was given, and their outcomes."""

    sent: int = 0
    acknowledged: int = 0
    failed: int = 0
    error: str = ""

    @property
    def waiting(self) -> int:
        return self.sent - self.acknowledged - self.failed

    @property
    def missing(self) -> int:
        """Ticks that are not acknowledged: each may be in the topic or not."""
        return self.sent - self.acknowledged

    def summary(self) -> str:
        return (
            f"sent {self.sent:,} ticks, {self.acknowledged:,} acknowledged, "
            f"{self.missing:,} not acknowledged"
        )
