"""The stored and received offsets of each Kafka partition, by one writer."""

from dataclasses import dataclass, field

import numpy as np

from jobs.sink.batch import Batch, Bools, Int64s
from lib.errors import SinkError


@dataclass(frozen=True, slots=True)
class Received:
    """Of each row of a batch, whether it is not decided yet, and whether its record became several
    rows and was no dead letter before."""

    is_new: Bools
    is_repeated: Bools


@dataclass(slots=True)
class StoredOffsets:
    """The highest offset stored and the highest received of each partition, by one writer, and the
    offsets above the stored one that are dead letters already."""

    stored: dict[int, int] = field(default_factory=dict)
    received: dict[int, int] = field(default_factory=dict)
    dead: dict[int, Int64s] = field(default_factory=dict)

    def receive(self, batch: Batch) -> Received:
        """Which rows are neither stored nor dead letters. Raise SinkError if the offsets of a
        partition fall: a stored offset covers all below it, which is true only of ordered rows."""
        is_new = np.empty(len(batch.offsets), dtype=np.bool_)
        is_repeated = np.zeros(len(batch.offsets), dtype=np.bool_)
        for partition in np.unique(batch.partitions).tolist():
            here = batch.partitions == partition
            offsets = batch.offsets[here]
            before = self.received.get(partition, -1)
            steps = np.diff(offsets, prepend=before)
            if (steps < 0).any():
                at = int(np.flatnonzero(steps < 0)[0])
                last = int(offsets[at - 1]) if at else before
                raise _out_of_order(partition, int(offsets[at]), last)
            if (steps == 0).any():
                is_repeated[here] = np.isin(offsets, offsets[steps == 0])
            self.received[partition] = int(offsets[-1])
            is_new[here] = offsets > self.stored.get(partition, -1)
            if partition in self.dead:
                is_dead = np.isin(offsets, self.dead[partition])
                is_new[here] &= ~is_dead
                is_repeated[here] &= ~is_dead
        return Received(is_new, is_repeated)

    def store(self, batch: Batch) -> None:
        """Note that these rows are in ClickHouse."""
        self.stored.update({p: last for p, (_, last) in batch.ranges().items()})


def _out_of_order(partition: int, offset: int, before: int) -> SinkError:
    return SinkError(
        f"partition {partition}, offset {offset}: came after offset {before}; if the topic was "
        "recreated, write to a new table, else give clickhouse_insert the records of one topic in "
        "their order, with no join, union or GROUP BY before it."
    )
