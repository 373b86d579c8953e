"""The status of a running job, as Flink reports it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jobs.flink.rest import Rest
from jobs.kafka.deleted_records import LostRecords
from jobs.run import failures
from lib.kafka import Partition

# A metric of Flink, and two of the sink.
_READ, _INSERTED, _DEAD = "Source.numRecordsOut", "rows_inserted", "dead_letters"


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job at one moment. Times are in seconds of any clock, as are ages; None is unknown."""

    time: float
    state: str
    records: float = 0.0
    rows: float = 0.0
    dead_letters: float = 0.0
    checkpoint_age: float | None = None
    reason: str = ""
    # The offset last read of each partition; -1 if none was since the start.
    positions: Mapping[Partition, int] = field(default_factory=dict)
    # How many records of each partition are left to read.
    lags: Mapping[Partition, int | None] = field(default_factory=dict)
    # Records that were deleted from Kafka before this run read them.
    lost: Sequence[LostRecords] = ()
    # The folder of the newest completed checkpoint; empty if there is none.
    checkpoint: str = ""
    # How many offsets below it are not accounted for, and why, if something is wrong.
    uncollected: int = 0
    problem: str = ""
    # What does not stop the job, but some of its results.
    notice: str = ""

    def line(self, before: "JobStatus | None") -> str:
        """With rates since `before`: RUNNING  in 1,200/s  inserted 1,200/s (9 rows)  lag 0 ..."""
        if self.reason:
            return f"{self.state}  {self.reason}"
        read, stored = map(_rate, self.rates(before))
        age = "none yet" if self.checkpoint_age is None else f"{self.checkpoint_age:.0f} s ago"
        return (
            f"{self.state}  in {read}  inserted {stored} ({self.rows:,.0f} rows)"
            f"  lag {self._lag()}  checkpoint {age}{self._dead_letters()}{self._uncollected()}"
            f"{self._lost()}{'  ' if self.notice else ''}{self.notice}"
        )

    def _lag(self) -> str:
        """The sum of the known lags, and how many are unknown."""
        known = [lag for lag in self.lags.values() if lag is not None]
        unknown = len(self.lags) - len(known)
        if not known:
            return "?"
        rest = f" (not known of {unknown} of {len(self.lags)} partitions)" if unknown else ""
        return f"{sum(known):,}{rest}"

    def _dead_letters(self) -> str:
        return f"  dead letters {self.dead_letters:,.0f}" if self.dead_letters else ""

    def _uncollected(self) -> str:
        return f"  not accounted for {self.uncollected:,}" if self.uncollected else ""

    def _lost(self) -> str:
        count = sum(len(lost) for lost in self.lost)
        return f"  lost {count:,}" if count else ""

    def rates(self, before: "JobStatus | None") -> tuple[float | None, float | None]:
        """Records read and rows stored a second since `before`; None if unknown."""
        seconds = self.time - before.time if before else 0.0
        if not before or not seconds or self.reason:
            return None, None
        # A job that restarts counts from 0.
        records, rows = self.records - before.records, self.rows - before.rows
        return max(records, 0) / seconds, max(rows, 0) / seconds


def _rate(value: float | None) -> str:
    return "?/s" if value is None else f"{value:,.0f}/s"


def read(rest: Rest) -> JobStatus:
    """The status now; raise JobError when the sink refuses rows or the job has failed."""
    state = rest.state()
    # In any state: Flink may have restarted the job since the last request.
    failure = rest.last_failure()
    failures.check(rest, state, failure)
    if state != "RUNNING":
        return JobStatus(time.monotonic(), state, reason=failures.reason(failure))
    metrics, positions = rest.metrics((_READ, _INSERTED, _DEAD))
    checkpoint = rest.last_checkpoint()
    return JobStatus(
        time.monotonic(),
        state,
        metrics.get(_READ, 0.0),
        metrics.get(_INSERTED, 0.0),
        metrics.get(_DEAD, 0.0),
        time.time() - checkpoint["latest_ack_timestamp"] / 1000 if checkpoint else None,
        positions=positions,
        checkpoint=checkpoint["external_path"].removeprefix("file:") if checkpoint else "",
    )
