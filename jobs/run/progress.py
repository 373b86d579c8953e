"""How far a run has read Kafka, and which records it lost."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from jobs.kafka.deleted_records import ClientLog, LostRecords
from jobs.kafka.lag import LagMonitor
from jobs.run.status import JobStatus
from lib.kafka import Partition, Span


class ReadProgress:
    """Positions, lag and lost records of one run, from Flink's metrics, its log and Kafka."""

    def __init__(
        self,
        log: ClientLog,
        lag: LagMonitor,
        save: Callable[[Mapping[Partition, int], Mapping[Partition, Span]], None],
    ) -> None:
        """`save` gets what the next run needs: the first offset of each partition that is to be
        read, and the offsets without a record."""
        self._log = log
        self._lag = lag
        self._save = save
        self._saved: tuple[dict[Partition, int], dict[Partition, Span]] = ({}, {})
        self._read: dict[Partition, int] = {}
        self.lost: list[LostRecords] = []

    @property
    def positions(self) -> dict[Partition, int]:
        """The offset that Flink reads next of each partition, if it is known."""
        starts = self._log.starts
        return {
            partition: max(self._read.get(partition, 0), starts.get(partition, 0))
            for partition in self._read.keys() | starts.keys()
        }

    @property
    def starts(self) -> Mapping[Partition, int]:
        """The offset at which the source began to read each partition, as far as it is known."""
        return self._log.starts

    def read_log(self) -> list[LostRecords]:
        """The records lost since the last call."""
        new = [unknown for lost in self._log.read() if (unknown := self._add(lost))]
        now = dict(self._log.unread), dict(self._lag.gaps)
        if self._saved != now:
            self._saved = now
            self._save(*now)
        return new

    def _add(self, new: LostRecords) -> LostRecords | None:
        """Those that are not known yet: Flink may find the same again, and more, when it restarts
        the job from an earlier offset."""
        for known in self.lost:
            if known.has_start_of(new):
                new = replace(new, first=known.last + 1)
        if not len(new):
            return None
        self.lost = [known for known in self.lost if not new.has_start_of(known)] + [new]
        return new

    def complete(self, status: JobStatus) -> JobStatus:
        """The status with the lag of each partition and the lost records."""
        for partition, last in status.positions.items():
            if last >= 0:
                self._read[partition] = last + 1
            else:
                # None since Flink restarted the job, maybe from an earlier offset.
                self._read.pop(partition, None)
        lags = self._lag.lags(self.positions) if status.state == "RUNNING" else {}
        return replace(status, lags=lags, lost=tuple(self.lost))
