"""What tables, goals and plots take from a stored run: medians, ratios, costs."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from bench.contenders import BASELINE, OURS

Run = dict[str, Any]
# The servers that many clients ask, by their key in a run, and how they are shown.
ASKED = {"api": "the API", "clickhouse": "ClickHouse alone"}
# The processes that are not the contender's own.
SERVERS = ("broker", "clickhouse", "supervisor")


def of(found: Sequence[Mapping[str, Any]], name: str) -> list[float | None]:
    """A figure of each round."""
    return [one[name] for one in found]


def known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def middle(values: Sequence[float | None]) -> float | None:
    """The median of those that are known."""
    return statistics.median(known(values)) if known(values) else None


def ratios(values: Sequence[float | None], baseline: Sequence[float | None]) -> list[float | None]:
    """Each value by the other of the same round."""
    # A round may have been interrupted, or have failed.
    return [
        value / other if value is not None and other else None
        for value, other in zip(values, baseline, strict=False)
    ]


def own(of_names: Mapping[str, float]) -> float:
    """The sum over the processes of the contender."""
    return sum(value for name, value in of_names.items() if name not in SERVERS)


def cost(result: Mapping[str, Any]) -> float | None:
    """CPU-seconds per million ticks of the contender and both servers."""
    return sum(result["cpu_per_million_s"].values()) or None


def drained(run: Run, name: str) -> list[Run]:
    """The rounds of a contender's drain."""
    found: list[Run] = run.get("drain", {}).get("contenders", {}).get(name, [])
    return found


def rate_ratio(run: Run, name: str, other: str = BASELINE) -> float | None:
    """How fast one drains, by how fast another does, in the median of the rounds."""
    return middle(ratios(of(drained(run, name), "rate"), of(drained(run, other), "rate")))


def cost_ratio(run: Run, name: str, other: str = BASELINE) -> float | None:
    """What one costs, by what another costs, in the median of the rounds."""
    one, two = ([cost(each) for each in drained(run, which)] for which in (name, other))
    return middle(ratios(one, two))


def delay(run: Run, name: str, rate: int, quantile: str) -> float | None:
    """A quantile of the delays at a rate, in ms, in the median of the rounds."""
    found = run.get("latency", {}).get("contenders", {}).get(name, [])
    return middle([one[str(rate)][quantile] for one in found if str(rate) in one])


def at_full_load(run: Run) -> float | None:
    """The highest memory of the job and both servers while a backlog is drained, in MB."""
    found = drained(run, OURS)
    return max((sum(one["memory_peak_mb"].values()) for one in found), default=None)


def at_rest(run: Run) -> float | None:
    """The memory of a demo, in MB."""
    return sum(run.get("footprint", {}).get("at_rest_mb", {}).values()) or None


def started(run: Run) -> float | None:
    """From the start of a warm job to its first row, in s."""
    return middle(of(run.get("recovery", {}).get("warm", []), "first_row_s"))
