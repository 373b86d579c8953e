"""From when ticks were due, and when offsets were visible, to the quantiles of the delays."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]

# The share of the ticks that comes first and is left out.
WARM_UP = 0.2
QUANTILES = {"p50_ms": 0.5, "p99_ms": 0.99, "p999_ms": 0.999}


class Sent(NamedTuple):
    """What bench.ticks notes: by partition, the first offset and when each tick was due; and how
    late each burst was sent."""

    first: Sequence[int]
    due: Sequence[Times]
    late: Times

    @property
    def ends(self) -> list[int]:
        """The offset after the last tick of each partition."""
        return [first + len(due) for first, due in zip(self.first, self.due, strict=True)]


# By partition: moments, and the highest visible offset at each, both rising.
Seen = Mapping[int, tuple[Sequence[float], Sequence[int]]]


def read(file: Path) -> Sent:
    """The file that bench.ticks has written."""
    with np.load(file) as noted:
        first = [int(number) for number in noted["first"]]
        return Sent(first, [noted[f"due{number}"] for number in range(len(first))], noted["late"])


def delays(first: int, due: Times, seen: tuple[Sequence[float], Sequence[int]]) -> Times:
    """How long after it was due each tick of a partition was visible; not finite: it was not."""
    times, offsets = np.array([*seen[0], np.inf]), np.array(seen[1], dtype=np.int64)
    visible = np.searchsorted(offsets, np.arange(first, first + len(due)))
    return times[visible] - due


def figures(sent: Sent, seen: Seen) -> dict[str, Any]:
    """The quantiles of all ticks after the warm-up, and how many were not visible at the end."""
    every = np.concatenate(
        [
            delays(first, due, seen.get(partition, ([], [])))
            for partition, (first, due) in enumerate(zip(sent.first, sent.due, strict=True))
        ]
    )
    due = np.concatenate(sent.due)
    counted = every[due >= due.min() + WARM_UP * (due.max() - due.min())]
    visible = np.sort(counted[np.isfinite(counted)])
    return {
        "ticks": len(counted),
        "not_visible": len(counted) - len(visible),
        **{name: at(visible, share) for name, share in QUANTILES.items()},
        "sent_late_p99_ms": at(np.sort(sent.late), 0.99),
    }


def at(ordered: Times, share: float) -> float | None:
    """A quantile, in ms."""
    if not len(ordered):
        return None
    return round(1e3 * float(ordered[min(int(len(ordered) * share), len(ordered) - 1)]), 1)
