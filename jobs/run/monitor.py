"""Follows a running job: one live line, the word when it can't go on, and its end."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from jobs.flink import state
from jobs.flink.rest import Rest
from jobs.kafka.deleted_records import Lost
from lib.errors import JobError, RestartError, ServiceError, one_line
from lib.files import show
from lib.kafka import Partition
from lib.signals import Signals

_REFUSED = re.compile(r"SinkError: (?P<fact>[^\n]+)")

# A record that fails the same way at every try, as Flink's formats show it, and what went wrong
# with it last. Not all that comes up through the reading of a record is its fault: the sink may
# have failed for the batch that it filled.
_RECORD = re.compile(
    r"(?:Failed to deserialize (?:JSON|CSV row)|Corrupt [\w ]+ message) '(?P<record>.*?)'\.\n",
    re.DOTALL,
)
_CAUSE = re.compile(r"(?P<error>[\w.$]+)(?:: (?P<fact>.*))?")
_OF_THE_RECORD = re.compile(
    r"[.$](?:Json\w*|\w*Parse|NumberFormat|DateTime|TableRuntime)Exception\Z"
)
_IN_A_FORMAT = re.compile(r"^\tat org\.apache\.flink\.formats\.", re.MULTILINE)
_BEHIND_A_FORMAT = re.compile(r"^\tat .*Output\.collect\(", re.MULTILINE)

_TRACEBACK = "Traceback (most recent call last):"
# An error with its text, or one without.
_PYTHON_ERROR = re.compile(r"[A-Za-z_][\w.]*(: |$)")

# The names of the metrics behind the line: Flink's own but for the sink's rows_inserted.
_METRICS = ("Source.numRecordsOut", "rows_inserted")

# How often the line is new, in seconds: on a terminal, and in a log file.
LIVE_EVERY = 1.0
LOG_EVERY = 10.0

# How long Flink may not answer while it is busy, in seconds: the job goes on meanwhile.
SILENCE_LIMIT = 60.0
_SILENT = "NO ANSWER"


class UnreadableError(JobError):
    """A record that Flink cannot read, or its SQL not cast; `record` is all of it."""

    def __init__(self, record: str, fact: str) -> None:
        # Of the token null Flink says that there is no content.
        fact = "not an object" if record.strip() == "null" else fact
        super().__init__(
            f"a record of the source cannot be read: {record:.200}: {fact.rstrip('.'):.200}; read "
            "the field as STRING and TRY_CAST it, or set 'json.ignore-parse-errors' = 'true' in "
            "the source, which makes such a field NULL and skips what is no JSON, and filter NULL."
        )
        self.record = record


@dataclass(frozen=True, slots=True)
class Glance:
    """What one look at a job shows. Times in seconds of any clock, ages too; None: not known."""

    time: float
    state: str
    records: float = 0.0
    rows: float = 0.0
    checkpoint_age: float | None = None
    reason: str = ""
    # The offset last read of each partition; -1 where none was since the start.
    positions: Mapping[Partition, int] = field(default_factory=dict)
    # How many records of each partition are left to read.
    lags: Mapping[Partition, int | None] = field(default_factory=dict)
    # What was deleted from Kafka before this run could read it.
    lost: Sequence[Lost] = ()

    def line(self, before: "Glance | None") -> str:
        """`before` gives the rates: RUNNING  in 1,200/s  inserted 1,200/s (9 rows)  lag 0 ..."""
        if self.reason:
            return f"{self.state}  {self.reason}"
        read, stored = map(_rate, self.rates(before))
        age = "none yet" if self.checkpoint_age is None else f"{self.checkpoint_age:.0f} s ago"
        return (
            f"{self.state}  in {read}  inserted {stored} ({self.rows:,.0f} rows)"
            f"  lag {self._lag()}  checkpoint {age}{self._lost()}"
        )

    def _lag(self) -> str:
        """The sum of what is known, and what is not."""
        known = [lag for lag in self.lags.values() if lag is not None]
        unknown = len(self.lags) - len(known)
        if not known:
            return "?"
        rest = f" (not known of {unknown} of {len(self.lags)} partitions)" if unknown else ""
        return f"{sum(known):,}{rest}"

    def _lost(self) -> str:
        count = sum(len(lost) for lost in self.lost)
        return f"  lost {count:,}" if count else ""

    def rates(self, before: "Glance | None") -> tuple[float | None, float | None]:
        """Records read and rows stored a second since `before`; None where that is not known."""
        seconds = self.time - before.time if before else 0.0
        if not before or not seconds or self.reason:
            return None, None
        # A job that starts again counts from 0.
        records, rows = self.records - before.records, self.rows - before.rows
        return max(records, 0) / seconds, max(rows, 0) / seconds


def _rate(value: float | None) -> str:
    return "?/s" if value is None else f"{value:,.0f}/s"


def look(rest: Rest) -> Glance:
    """One look; raise JobError when the sink refuses rows or the job has failed."""
    state = rest.state()
    # In any state: Flink may have started the job again since the look before.
    failure = rest.last_failure()
    check_failure(rest, state, failure)
    if state != "RUNNING":
        return Glance(time.monotonic(), state, reason=reason(failure))
    metrics, positions = rest.metrics(_METRICS)
    checkpoint = rest.last_checkpoint()
    return Glance(
        time.monotonic(),
        state,
        metrics.get("Source.numRecordsOut", 0.0),
        metrics.get("rows_inserted", 0.0),
        time.time() - checkpoint["latest_ack_timestamp"] / 1000 if checkpoint else None,
        positions=positions,
    )


def check_failure(rest: Rest, state: str, failure: str) -> None:
    """Raise JobError if the job can't go on by itself; Flink alone would try for ever."""
    if refused := _REFUSED.search(failure):
        raise JobError(refused["fact"])
    if unreadable := _unreadable(failure):
        raise unreadable
    if state == "FAILED":
        fact = failure.splitlines()[0] if failure else "no reason given"
        raise JobError(f"job {rest.job_id}: Flink gave up: {fact}; see {rest.logs}.")


def _unreadable(failure: str) -> UnreadableError | None:
    """What a failure says of the record that it is about, if it is about one."""
    record, frames = _RECORD.search(failure), failure.rpartition("\nCaused by: ")[2]
    last = _CAUSE.match(frames)
    if not record or not last:
        return None
    is_read = _IN_A_FORMAT.search(frames) and not _BEHIND_A_FORMAT.search(frames)
    if not is_read and not _OF_THE_RECORD.search(last["error"]):
        return None
    return UnreadableError(record["record"], last["fact"] or last["error"].rpartition(".")[2])


def reason(failure: str) -> str:
    """What a failure says, in a few words; empty for an empty one."""
    lines = [line for line in failure.splitlines() if line.strip()]
    # A Python failure says it last; a Java one in its innermost cause, before its trace.
    said = [line for line in lines if line.startswith("Caused by: ")] or lines[:1]
    fact = (_python_errors(lines) or said or [""])[-1].removeprefix("Caused by: ")
    return one_line(fact.partition(f": {_TRACEBACK}")[0])[:200]


def _python_errors(lines: list[str]) -> list[str]:
    """What the Python tracebacks among the lines end with; none where Flink has cut them off."""
    starts = [number for number, line in enumerate(lines) if _TRACEBACK in line]
    return [line for line in lines[starts[0] + 1 :] if _PYTHON_ERROR.match(line)] if starts else []


def until(
    asked: Signals,
    rest: Rest,
    console: Console,
    check: Callable[[], None],
    look_after: Callable[[], None],
    note: Callable[[Glance, Glance | None], Glance],
) -> None:
    """Show the job until asked to stop; raise JobError when it can't go on, and RestartError when
    Flink has been silent for SILENCE_LIMIT. `check` is called before each look, `look_after` every
    LOG_EVERY; both may raise too. `note` gets each look and that which the rates are counted from,
    and returns the look with what only others know."""
    before: Glance | None = None
    state = ""
    said = heard = checked = time.monotonic()
    with console.status("starting") as status:
        while not asked.wait(LIVE_EVERY):
            check()
            try:
                now = look(rest)
                heard = time.monotonic()
            except ServiceError as error:
                if time.monotonic() - heard > SILENCE_LIMIT:
                    raise RestartError(
                        f"{str(error).rstrip('.')}; it was silent for {SILENCE_LIMIT:.0f} s, and "
                        "the job goes on from its last checkpoint when it is run again."
                    ) from error
                now = Glance(time.monotonic(), _SILENT, reason=str(error))
            now = note(now, before)
            status.update(now.line(before))
            if now.time - checked >= LOG_EVERY:
                look_after()
                checked = now.time
            is_due = now.time - said >= LOG_EVERY or now.state != state
            if is_due and not console.is_terminal:
                console.print(now.line(before))
            if is_due or console.is_terminal:
                said, state = now.time, now.state
                # The rates after a silence are those since the last figures before it.
                before = before if state == _SILENT else now


def stop(rest: Rest, folder: Path, console: Console) -> None:
    """Stop with a savepoint; where none can be made, say so: what was saved before is left."""
    console.print("stopping with a savepoint (again to end at once)")
    try:
        console.print(
            f"stopped; saved to {show(Path(rest.stop(folder.as_uri()).removeprefix('file:')))}"
        )
    except ServiceError as error:
        saved = state.newest(folder)
        begin = f"resumes from {show(saved)}" if saved else "begins at the sources"
        console.print(
            f"stopped without a savepoint ({one_line(error):.200}); the next start {begin}"
        )
