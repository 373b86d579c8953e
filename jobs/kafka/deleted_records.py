"""Where Flink's source begins to read each partition, and which records Kafka had deleted by then.

Flink's metrics have a partition from its first record on. That a consumer found its offset deleted
and continued at the first that is left, only Kafka's client reports, in its log.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.kafka import Partition, Span

# How many places one message names.
SHOWN = 10

_PLACE = r"(?P<topic>[\w.-]+)-(?P<partition>\d+)"
_SPLIT = re.compile(rf"\[Partition: {_PLACE}, StartingOffset: (?P<offset>-?\d+),")
_SEEK = re.compile(rf"Seeking to AutoOffsetResetStrategy\{{type=latest\}} offset of .*?{_PLACE}\b")
_DELETED = re.compile(
    rf"Fetch position FetchPosition\{{offset=(?P<offset>\d+),.* is out of range for .*?{_PLACE}\b"
)
_BEGINS = re.compile(
    rf"(?:Resetting|Setting) offset for partition {_PLACE} to (?:the )?"
    r"(?:position|committed offset) FetchPosition\{offset=(?P<offset>\d+),"
)


@dataclass(frozen=True, slots=True)
class LostRecords:
    """Records of a partition, from `first` to `last`, that were deleted before they were read."""

    topic: str
    partition: int
    first: int
    last: int

    def __str__(self) -> str:
        offsets = f"s {self.first} to {self.last}" if len(self) > 1 else f" {self.first}"
        return f"{self.topic}, partition {self.partition}, offset{offsets}"

    def __len__(self) -> int:
        return max(self.last - self.first + 1, 0)

    def has_start_of(self, other: "LostRecords") -> bool:
        """Whether the first of the other records is among these."""
        is_here = (self.topic, self.partition) == (other.topic, other.partition)
        return is_here and self.first <= other.first <= self.last


def describe(lost: Sequence[LostRecords]) -> str:
    """The message about them, with the first SHOWN by name; empty if there are none."""
    if not lost:
        return ""
    more = f" and {len(lost) - SHOWN} more places" if len(lost) > SHOWN else ""
    places = "; ".join(map(str, lost[:SHOWN]))
    return (
        f"{places}{more}: deleted from Kafka before the job read them; keep records for longer "
        "(the topic's retention.ms and retention.bytes)."
    )


class ClientLog:
    """The log of one run's Flink, as far as Kafka's client writes it.

    `unread` has the first offset of each partition that no run has read, if it is known: a source
    that begins after it has lost the records between, except the `gaps`, which hold none."""

    def __init__(
        self, file: Path, unread: Mapping[Partition, int], gaps: Mapping[Partition, Span]
    ) -> None:
        self._file = file
        self._gaps = gaps
        # Gaps that a beginning skipped: the search for the lag keeps only the latest of each.
        self._skipped: dict[Partition, Span] = {}
        self._size_read = 0
        self._out_of_range: dict[Partition, int] = {}
        self._from_end: set[Partition] = set()
        self.unread = dict(unread)
        # The offset at which the source began, since it was last started.
        self.starts: dict[Partition, int] = {}

    def read(self) -> list[LostRecords]:
        """Read the lines added since the last call; return the records that they report lost."""
        if not self._file.exists():
            return []
        with self._file.open("rb") as file:
            file.seek(self._size_read)
            # A last line that is not complete yet is read the next time.
            text, end, _ = file.read().rpartition(b"\n")
        self._size_read += len(text + end)
        lines = text.decode(errors="replace").splitlines()
        return [lost for line in lines if "ffset" in line for lost in self._read_line(line)]

    def _read_line(self, line: str) -> list[LostRecords]:
        if "Adding split(s) to reader" in line:
            for split in _SPLIT.finditer(line):
                self._start(_partition(split), int(split["offset"]))
        elif seek := _SEEK.search(line):
            self._from_end.add(_partition(seek))
        elif deleted := _DELETED.search(line):
            self._out_of_range[_partition(deleted)] = int(deleted["offset"])
        elif begins := _BEGINS.search(line):
            return self._begin(_partition(begins), int(begins["offset"]))
        return []

    def _start(self, partition: Partition, offset: int) -> None:
        """A negative offset stands for one that Kafka's client looks up and logs later."""
        self._out_of_range.pop(partition, None)
        self._from_end.discard(partition)
        self.starts.pop(partition, None)
        if offset >= 0:
            self.starts[partition] = offset

    def _begin(self, partition: Partition, offset: int) -> list[LostRecords]:
        out_of_range = self._out_of_range.pop(partition, None)
        # A source that begins at the end is to read no older record.
        unread = None if partition in self._from_end else self.unread.get(partition)
        due = max((at for at in (out_of_range, unread) if at is not None), default=offset)
        due = self._skip_gaps(partition, due)
        self.starts[partition] = offset
        if out_of_range is None:
            # The first beginning: what is read after it is in the saved state of the next run.
            self.unread.setdefault(partition, offset)
        return [LostRecords(*partition, due, offset - 1)] if due < offset else []

    def _skip_gaps(self, partition: Partition, offset: int) -> int:
        """The offset, or the end of the gap that contains it."""
        for gaps in (self._skipped, self._gaps):
            if partition in gaps and gaps[partition].leave(offset) > offset:
                self._skipped[partition] = gaps[partition]
                return gaps[partition].end
        return offset


def _partition(match: re.Match[str]) -> Partition:
    return match["topic"], int(match["partition"])
