"""Sets of offsets, as sorted arrays and as spans."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from lib.kafka import Span

Offsets = npt.NDArray[np.int64]

NONE: Offsets = np.empty(0, dtype=np.int64)


def missing(present: Offsets, span: Span) -> Offsets:
    """The offsets of the span that are not present; all present ones are in the span."""
    is_missing = np.ones(span.end - span.start, dtype=np.bool_)
    is_missing[present - span.start] = False
    return np.flatnonzero(is_missing) + span.start


def repeated(offsets: Offsets) -> Offsets:
    """Each of the sorted offsets that occurs more than once."""
    again: Offsets = offsets[1:][np.diff(offsets) == 0]
    return np.unique(again)


def spans(offsets: Offsets) -> list[Span]:
    """The runs of consecutive offsets; the offsets are ascending."""
    if not len(offsets):
        return []
    ends = np.flatnonzero(np.diff(offsets) > 1)
    firsts, lasts = offsets[np.r_[0, ends + 1]].tolist(), offsets[np.r_[ends, -1]].tolist()
    return [Span(first, last + 1) for first, last in zip(firsts, lasts, strict=True)]


def joined(parts: Iterable[Span], distance: int = 0) -> list[Span]:
    """The spans, in order; those at most `distance` offsets apart are joined."""
    whole: list[Span] = []
    for part in parts:
        if whole and part.start - whole[-1].end <= distance:
            whole[-1] = Span(whole[-1].start, max(part.end, whole[-1].end))
        else:
            whole.append(part)
    return whole


def split(span: Span, size: int) -> Iterator[Span]:
    """Parts of the span of at most this size."""
    for start in range(span.start, span.end, size):
        yield Span(start, min(start + size, span.end))


def count(parts: Iterable[Span]) -> int:
    """How many offsets are in the spans."""
    return sum(part.end - part.start for part in parts)


def text(parts: Sequence[Span], shown: int) -> str:
    """The offsets in words, the first `shown` spans by name: 3, 5 to 9 and 12 more."""
    named = [
        str(start) if end - start == 1 else f"{start} to {end - 1}" for start, end in parts[:shown]
    ]
    more = count(parts[shown:])
    return ", ".join(named) + (f" and {more:,} more" if more else "")
