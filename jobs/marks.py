"""How far each Kafka partition is stored, and who in this process may store more of it."""

import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lib.errors import SinkError

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Progress:
    """The highest offset stored (`marks`) and received (`seen`) of each partition by one writer."""

    marks: dict[int, int] = field(default_factory=dict)
    seen: dict[int, int] = field(default_factory=dict)

    def receive(self, partitions: Int64s, offsets: Int64s) -> Bools:
        """Which rows are not stored yet. Raise SinkError unless each partition's offsets rise: a
        mark says that all below it is stored, true only while rows come in order, one a record."""
        is_new = np.empty(len(offsets), dtype=np.bool_)
        for partition in np.unique(partitions).tolist():
            here = partitions == partition
            mine = offsets[here]
            before = self.seen.get(partition, -1)
            falls = np.flatnonzero(np.diff(mine, prepend=before) <= 0)
            if len(falls):
                at = int(falls[0])
                last = int(mine[at - 1]) if at else before
                raise _out_of_order(partition, int(mine[at]), last)
            self.seen[partition] = int(mine[-1])
            is_new[here] = mine > self.marks.get(partition, -1)
        return is_new

    def store(self, partitions: Int64s, offsets: Int64s) -> None:
        """Note that these rows are in ClickHouse."""
        for partition in np.unique(partitions).tolist():
            self.marks[partition] = int(offsets[partitions == partition].max())


def _out_of_order(partition: int, offset: int, before: int) -> SinkError:
    place = f"partition {partition}, offset {offset}"
    if offset == before:
        # Only rows of one record follow each other with one offset.
        return SinkError(
            f"{place}: one record became several rows, which one offset cannot tell apart; leave "
            "out such records (arrays of several objects), or a join or UNNEST before "
            "clickhouse_insert."
        )
    return SinkError(
        f"{place}: came after offset {before}; if the topic was recreated, write to a new table, "
        "else give clickhouse_insert the records of one topic in their order, with no join, union "
        "or GROUP BY before it."
    )


class Superseded(Exception):  # noqa: N818
    """A newer attempt stores this partition now; the one that gets this must end."""


class Owners:
    """Keeps an attempt that Flink gave up, but whose thread still runs, from storing rows.

    In the in-process cluster a cancelled task's Python thread lives on until its call returns, and
    may be in the middle of trying an insert again. Who claims a partition waits for an insert that
    runs, and from then on the earlier owner's inserts are refused."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, int], threading.Lock] = {}
        self._owners: dict[tuple[str, int], object] = {}

    def claim(self, writer: str, partitions: Iterable[int], owner: object) -> None:
        """Make `owner` the only one that may store rows of these partitions."""
        for partition in partitions:
            with self._lock(writer, partition):
                self._owners[writer, partition] = owner

    @contextmanager
    def holding(self, writer: str, partitions: Collection[int], owner: object) -> Iterator[None]:
        """Keep the partitions while an insert runs; raise Superseded if one has another owner."""
        with ExitStack() as stack:
            for partition in sorted(partitions):
                stack.enter_context(self._lock(writer, partition))
                if self._owners.get((writer, partition)) is not owner:
                    raise Superseded(f"{writer}: partition {partition} has a newer owner")
            yield

    def _lock(self, writer: str, partition: int) -> threading.Lock:
        # In one step: two threads must never get two locks.
        return self._locks.setdefault((writer, partition), threading.Lock())
