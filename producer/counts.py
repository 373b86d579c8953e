"""The account of every tick that was handed to Kafka's client."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """How many ticks were handed to the client, and what became of them."""

    sent: int = 0
    acknowledged: int = 0
    failed: int = 0
    error: str = ""

    @property
    def waiting(self) -> int:
        return self.sent - self.acknowledged - self.failed

    @property
    def missing(self) -> int:
        """Not acknowledged: each of them may be in the topic or not."""
        return self.sent - self.acknowledged

    def summary(self) -> str:
        return (
            f"sent {self.sent:,} ticks, {self.acknowledged:,} acknowledged, "
            f"{self.missing:,} not acknowledged"
        )
