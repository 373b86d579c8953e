"""Rows on their way into a table, with the Kafka record that each comes from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.targets.target import PLACE

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows in the types of their table; without partitions and offsets if they are not tracked."""

    table: pa.Table
    partitions: Int64s
    offsets: Int64s

    @classmethod
    def of(cls, table: pa.Table) -> "Batch":
        """The batch of these rows, which have a partition and an offset if they are tracked."""
        if not set(PLACE) <= set(table.column_names):
            return cls(table, _NONE, _NONE)
        partitions, offsets = (table[name].to_numpy().astype(np.int64) for name in PLACE)
        return cls(table, partitions, offsets)

    def filter(self, rows: Bools) -> "Batch":
        """The batch with these rows only."""
        if rows.all():
            return self
        table = self.table.filter(pa.array(rows))
        return Batch(table, self.partitions[rows], self.offsets[rows])

    def slice(self, start: int, end: int) -> "Batch":
        """The batch with the rows from start up to end, which is not included."""
        table = self.table.slice(start, end - start)
        return Batch(table, self.partitions[start:end], self.offsets[start:end])

    def __len__(self) -> int:
        return len(self.table)

    def ranges(self) -> dict[int, tuple[int, int]]:
        """The first and the last offset of each partition."""
        ranges = {}
        for partition in np.unique(self.partitions).tolist():
            offsets = self.offsets[self.partitions == partition]
            ranges[partition] = int(offsets.min()), int(offsets.max())
        return ranges
