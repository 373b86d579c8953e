"""How much is measured, in a whole run and in a quick one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of ticks and rounds, and times in seconds."""

    # The backlog of a drain, how often each contender drains it, and for how long at most after
    # the warm-up.
    ticks: int
    rounds: int
    limit: float
    # The backlog in which contenders are killed.
    kill_ticks: int
    # Ticks a second at which latency is measured, each for so long, after so many others.
    rates: tuple[int, ...]
    seconds: float
    warm_up_ticks: int
    latency_rounds: int
    # How often a start and a kill are timed.
    starts: int
    # Millions of rows at which the API is measured, and seconds for each number of clients.
    api_millions: tuple[int, ...]
    api_seconds: float
    # The backlog of each case of growth, and how many cases are measured.
    growth_ticks: int
    growth_cases: int


FULL = Sizes(
    ticks=5_000_000,
    rounds=3,
    limit=20.0,
    kill_ticks=1_000_000,
    rates=(10, 1_000, 10_000, 50_000),
    seconds=6.0,
    warm_up_ticks=300_000,
    latency_rounds=3,
    starts=2,
    api_millions=(1, 10, 100),
    api_seconds=5.0,
    growth_ticks=500_000,
    growth_cases=7,
)
QUICK = Sizes(
    ticks=300_000,
    rounds=1,
    limit=15.0,
    kill_ticks=50_000,
    rates=(1_000,),
    seconds=10.0,
    warm_up_ticks=100_000,
    latency_rounds=1,
    starts=1,
    api_millions=(1,),
    api_seconds=1.0,
    growth_ticks=100_000,
    growth_cases=1,
)
