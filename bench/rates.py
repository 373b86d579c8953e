"""The figures of one drain, from the progress and the readings of its run."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from bench import measure
from bench.contenders import Contender
from bench.measure import Meter

# The share of the backlog that a rate leaves out: compilers and caches warm up meanwhile.
WARM_UP = 0.2
# A moment of the monotonic clock, and how many records were done then.
Sample = tuple[float, int]


def exact(contender: Contender, samples: list[Sample]) -> list[Sample]:
    """Those of which the rate is computed: Flink shows the last records up to a second late."""
    return samples[:-1] if contender.progress == "flink" and len(samples) > 2 else samples


def figures(
    samples: Sequence[Sample],
    ticks: int,
    begun: float,
    meter: Meter,
    before: measure.Reading,
    end: measure.Reading,
    settled: measure.Reading,
) -> dict[str, Any]:
    """The figures of one run. A rate and a cost per million are those after the warm-up."""
    first, last = samples[0], samples[-1]
    # Of a slow contender the first fifth of what it has done.
    counted = ticks if last[1] > WARM_UP * ticks else last[1]
    warm = crossing(samples, max(WARM_UP * counted, first[1]))
    rest, seconds = last[1] - warm[1], last[0] - warm[0]
    until_last = measure.at(meter.readings, last[0])
    spent = measure.between(measure.at(meter.readings, warm[0]), until_last)
    spent["clickhouse"] = spent.get("clickhouse", 0.0) + later(end, settled)
    return {
        "first_row_s": round(first[0] - begun, 2),
        "drained_s": round(last[0] - begun, 2),
        "rate": round(rest / seconds) if seconds > 0 else None,
        "cpu_before_first_row_s": measure.between(before, measure.at(meter.readings, first[0])),
        "cpu_per_million_s": {
            name: round(1e6 * value / rest, 2) for name, value in spent.items() if rest
        },
        "memory_peak_mb": meter.peaks(),
    }


def later(end: measure.Reading, settled: measure.Reading) -> float:
    """The CPU-seconds of merges after the last record."""
    return settled.cpu.get("clickhouse", 0.0) - end.cpu.get("clickhouse", 0.0)


def crossing(samples: Sequence[Sample], count: float) -> tuple[float, float]:
    """When so many records were done, as if they were done evenly between two samples."""
    for (early, few), (late, many) in pairwise(samples):
        if few <= count <= many and many > few:
            return early + (late - early) * (count - few) / (many - few), count
    return samples[0]
