"""Shows a running job as one live line until it is to stop, and stops it."""

import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from jobs.flink import state
from jobs.flink.rest import Rest
from jobs.run import status
from jobs.run.status import JobStatus
from lib.errors import RestartError, ServiceError, one_line
from lib.files import show
from lib.signals import Signals

# How often the line is updated, in seconds: on a terminal, and in a log file.
LIVE_EVERY = 1.0
LOG_EVERY = 10.0

# How long Flink may not answer while it is busy, in seconds: the job goes on meanwhile.
SILENCE_LIMIT = 60.0
_SILENT = "NO ANSWER"


def follow(
    signals: Signals,
    rest: Rest,
    console: Console,
    check: Callable[[], None],
    maintain: Callable[[], None],
    complete: Callable[[JobStatus, JobStatus | None], JobStatus],
) -> None:
    """Show the job until a signal comes; raise JobError when it cannot go on, and RestartError when
    Flink has not answered for SILENCE_LIMIT.

    `check` is called before each request, `maintain` every LOG_EVERY; both may raise too.
    `complete` gets each status and the one from which rates are counted, and returns the status
    with what Flink does not know."""
    before: JobStatus | None = None
    shown_state = ""
    shown = answered = maintained = time.monotonic()
    with console.status("starting") as line:
        while not signals.wait(LIVE_EVERY):
            check()
            try:
                now = status.read(rest)
                answered = time.monotonic()
            except ServiceError as error:
                now = _silent(error, answered)
            now = complete(now, before)
            line.update(now.line(before))
            if now.time - maintained >= LOG_EVERY:
                maintain()
                maintained = now.time
            is_due = now.time - shown >= LOG_EVERY or now.state != shown_state
            if is_due and not console.is_terminal:
                console.print(now.line(before))
            if is_due or console.is_terminal:
                shown, shown_state = now.time, now.state
                # The rates after a silence are those since the last figures before it.
                before = before if now.state == _SILENT else now


def _silent(error: ServiceError, answered: float) -> JobStatus:
    """The status while Flink does not answer; raise RestartError after SILENCE_LIMIT."""
    now = time.monotonic()
    if now - answered > SILENCE_LIMIT:
        raise RestartError(
            f"{str(error).rstrip('.')}; it did not answer for {SILENCE_LIMIT:.0f} s, and the job "
            "goes on from its last checkpoint when it is run again."
        ) from error
    return JobStatus(now, _SILENT, reason=str(error))


def stop(rest: Rest, folder: Path, console: Console) -> Path | None:
    """Stop with a savepoint in `folder` and return it; if none can be made, show where the next run
    begins."""
    console.print("stopping with a savepoint (again to end at once)")
    try:
        savepoint = Path(rest.stop(folder.as_uri()).removeprefix("file:"))
        console.print(f"stopped; saved to {show(savepoint)}")
        return savepoint
    except ServiceError as error:
        saved = state.newest(folder)
        begin = f"resumes from {show(saved)}" if saved else "begins at the sources"
        console.print(
            f"stopped without a savepoint ({one_line(error):.200}); the next start {begin}"
        )
        return None
