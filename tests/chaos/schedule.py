"""The faults of a round: a pure function of its seed."""

import random
from dataclasses import dataclass
from math import inf

# The job's faults cost the most time to recover from: one in each round, by turns.
JOB = (
    ("kill", "job"),
    ("kill", "java"),
    ("restart", "job"),
    ("freeze", "java"),
    ("freeze", "job"),
)
OTHERS = (
    ("kill", "clickhouse"),
    ("freeze", "clickhouse"),
    ("restart", "clickhouse"),
    ("kill", "kafka"),
    ("freeze", "kafka"),
    ("restart", "kafka"),
    ("kill", "api"),
    ("freeze", "api"),
    ("restart", "api"),
    # The connection between sink and ClickHouse, after the insert was sent: before ClickHouse has
    # read it all, and when it has answered.
    ("cut", "request"),
    ("cut", "answer"),
    # All connections to ClickHouse, and no new ones for a while.
    ("cut", "connections"),
)
# The file system is full.
FILLS = (("fill", "clickhouse"), ("fill", "checkpoints"))

# In one of so many seeds the job's Java stays frozen until the runner ends it.
FROZEN_EVERY = 10


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; `action` and `target` are those of the lists above."""

    action: str
    target: str
    # How long after the previous fault is over, in seconds.
    pause: float
    # How long it lasts, in seconds, if it ends by itself.
    seconds: float
    # It comes while the stack recovers from the previous one.
    is_second: bool = False

    @property
    def name(self) -> str:
        lasting = " for good" if self.seconds == inf else ""
        return f"{self.action} {self.target}{lasting}"


def schedule(seed: int, fills: bool = True) -> list[Fault]:
    """The faults of a round, in order; with `fills`, file systems may be full."""
    rng = random.Random(seed)
    kinds = [JOB[seed % len(JOB)], *rng.sample(OTHERS + FILLS * fills, 2)]
    rng.shuffle(kinds)
    second = rng.randrange(1, 2 * len(kinds))
    return [
        Fault(
            *kind,
            pause=round(rng.uniform(0.2, 3), 2),
            seconds=_seconds(kind, seed, rng),
            is_second=number == second,
        )
        for number, kind in enumerate(kinds)
    ]


def _seconds(kind: tuple[str, str], seed: int, rng: random.Random) -> float:
    action, target = kind
    if action == "freeze":
        stays = target == "java" and seed % FROZEN_EVERY == JOB.index(kind)
        return inf if stays else round(rng.uniform(1, 8), 2)
    if kind == ("fill", "checkpoints"):
        # So long that a checkpoint fails.
        return 12.0
    return round(rng.uniform(1, 5), 2) if kind in (*FILLS, ("cut", "connections")) else 0.0
