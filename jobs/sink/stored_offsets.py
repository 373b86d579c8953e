"""The stored and received offsets of each Kafka partition, by one writer."""

from dataclasses import dataclass, field

import numpy as np

from jobs.sink.batch import Batch, Bools
from lib.errors import SinkError


@dataclass(slots=True)
class StoredOffsets:
    """The highest offset stored and the highest received of each partition, by one writer."""

    stored: dict[int, int] = field(default_factory=dict)
    received: dict[int, int] = field(default_factory=dict)

    def receive(self, batch: Batch) -> Bools:
        """Which rows are not stored yet. Raise SinkError unless each partition's offsets rise:
        a stored offset covers all below it, which is true only of ordered rows, one a record."""
        is_new = np.empty(len(batch.offsets), dtype=np.bool_)
        for partition in np.unique(batch.partitions).tolist():
            here = batch.partitions == partition
            offsets = batch.offsets[here]
            before = self.received.get(partition, -1)
            falls = np.flatnonzero(np.diff(offsets, prepend=before) <= 0)
            if len(falls):
                at = int(falls[0])
                last = int(offsets[at - 1]) if at else before
                raise _out_of_order(partition, int(offsets[at]), last)
            self.received[partition] = int(offsets[-1])
            is_new[here] = offsets > self.stored.get(partition, -1)
        return is_new

    def store(self, batch: Batch) -> None:
        """Note that these rows are in ClickHouse."""
        self.stored.update({p: last for p, (_, last) in batch.ranges().items()})


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
