"""What a run has read of Kafka, and what is left of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from jobs.kafka.deleted_records import Lost, Reading
from jobs.kafka.lag import Backlog
from jobs.run.monitor import Glance
from lib.kafka import Partition, Span


class Watch:
    """One run's Kafka, as Flink's figures, its log and Kafka itself show it together."""

    def __init__(
        self,
        reading: Reading,
        backlog: Backlog,
        keep: Callable[[Mapping[Partition, int], Mapping[Partition, Span]], None],
    ) -> None:
        """`keep` gets what the next start should know of where this one was to read on, and of
        offsets without a record."""
        self._reading = reading
        self._backlog = backlog
        self._keep = keep
        self._kept: tuple[dict[Partition, int], dict[Partition, Span]] = ({}, {})
        self._read: dict[Partition, int] = {}
        self.lost: list[Lost] = []

    @property
    def positions(self) -> dict[Partition, int]:
        """The offset that Flink reads next of each partition, as far as is known."""
        starts = self._reading.starts
        return {
            place: max(self._read.get(place, 0), starts.get(place, 0))
            for place in self._read.keys() | starts.keys()
        }

    def look(self) -> list[Lost]:
        """What was lost since the last look."""
        new = [each for lost in self._reading.look() if (each := self._add(lost))]
        now = dict(self._reading.owed), dict(self._backlog.gaps)
        if self._kept != now:
            self._kept = now
            self._keep(*now)
        return new

    def _add(self, new: Lost) -> Lost | None:
        """What of it is not known yet: Flink may find the same again, and more, when it starts the
        job again from before."""
        for known in self.lost:
            if known.is_around(new):
                new = replace(new, first=known.last + 1)
        if not len(new):
            return None
        self.lost = [known for known in self.lost if not new.is_around(known)] + [new]
        return new

    def complete(self, now: Glance) -> Glance:
        """The look with what is left to read, and what is lost."""
        for place, last in now.positions.items():
            if last >= 0:
                self._read[place] = last + 1
            else:
                # None since Flink started the job again, maybe from an earlier offset.
                self._read.pop(place, None)
        lags = self._backlog.lags(self.positions) if now.state == "RUNNING" else {}
        return replace(now, lags=lags, lost=tuple(self.lost))
