"""Failures of a Flink job: which ones end it, and the reason in a few words."""

import re

from jobs.flink.rest import Rest
from lib.errors import JobError, one_line

_REFUSED = re.compile(r"(?:Sink|RefusedInsert)Error: (?P<fact>[^\n]+)")

# A record that fails the same way at every try, as Flink's formats show it, and its last cause. Not
# every failure that passes through the deserialization of a record is about that record: the sink
# may have failed for the batch that the record completed.
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


class UnreadableError(JobError):
    """A record that Flink cannot read or the SQL cannot cast; `record` is its whole text."""

    def __init__(self, record: str, fact: str) -> None:
        # For the token null Flink reports that there is no content.
        fact = "not an object" if record.strip() == "null" else fact
        super().__init__(
            f"a record of the source cannot be read: {record:.200}: {fact.rstrip('.'):.200}; read "
            "the field as STRING and TRY_CAST it, or set 'json.ignore-parse-errors' = 'true' in "
            "the source, which makes such a field NULL and skips what is no JSON, and filter NULL."
        )
        self.record = record


def check(rest: Rest, state: str, failure: str) -> None:
    """Raise JobError if the job cannot go on by itself; Flink alone would try for ever."""
    if refused := refusal(failure):
        raise JobError(refused)
    if unreadable := _unreadable(failure):
        raise unreadable
    if state == "FAILED":
        fact = failure.splitlines()[0] if failure else "no reason given"
        raise JobError(f"job {rest.job_id}: Flink gave up: {fact}; see {rest.logs}.")


def refusal(failure: str) -> str:
    """Why the sink refused rows, if a failure is that; else empty."""
    refused = _REFUSED.search(failure)
    return refused["fact"] if refused else ""


def _unreadable(failure: str) -> UnreadableError | None:
    """The error for the record that a failure is about; None if it is about none."""
    record, frames = _RECORD.search(failure), failure.rpartition("\nCaused by: ")[2]
    last = _CAUSE.match(frames)
    if not record or not last:
        return None
    is_read = _IN_A_FORMAT.search(frames) and not _BEHIND_A_FORMAT.search(frames)
    if not is_read and not _OF_THE_RECORD.search(last["error"]):
        return None
    return UnreadableError(record["record"], last["fact"] or last["error"].rpartition(".")[2])


def reason(failure: str) -> str:
    """The reason for a failure in a few words; empty for an empty one."""
    lines = [line for line in failure.splitlines() if line.strip()]
    # A Python traceback ends with it; a Java one has it in its innermost cause.
    causes = [line for line in lines if line.startswith("Caused by: ")] or lines[:1]
    fact = (_python_errors(lines) or causes or [""])[-1].removeprefix("Caused by: ")
    return one_line(fact.partition(f": {_TRACEBACK}")[0])[:200]


def _python_errors(lines: list[str]) -> list[str]:
    """The errors that the Python tracebacks end with; none if Flink has cut them off."""
    starts = [number for number, line in enumerate(lines) if _TRACEBACK in line]
    return [line for line in lines[starts[0] + 1 :] if _PYTHON_ERROR.match(line)] if starts else []
