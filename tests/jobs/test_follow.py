import os
import signal
import threading
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from jobs import follow
from jobs.follow import Glance
from lib.errors import JobError, ServiceError

TRACE = """\
java.lang.RuntimeException: Error received from SDK harness
Traceback (most recent call last):
lib.errors.JobError: column n Int64 cannot take x: no
lib.errors.SinkError: s.t: column n Int64 cannot take x: no; filter it.
lib.errors.SinkError: clickhouse_insert: s.t: column n Int64 cannot take x: no; filter it.
\tat org.apache.flink
Caused by: java.io.IOException: the inner one
"""


class Rest:
    """A job as Flink's REST API would show it; each look takes the next state."""

    job_id = "abc"

    def __init__(self, *states: str, failure: str = "", stop: Any = "file:/x/savepoint-1") -> None:
        self._states = list(states)
        self._failure = failure
        self._stop = stop

    def state(self) -> str:
        return self._states.pop(0) if len(self._states) > 1 else self._states[0]

    def last_failure(self) -> str:
        return self._failure

    def metrics(self, names: Any) -> dict[str, float]:
        return {"Source.numRecordsOut": 10.0, "rows_inserted": 8.0, "Source.pendingRecords": 2.0}

    def last_checkpoint(self) -> None:
        return None

    def stop(self, folder: str) -> str:
        if isinstance(self._stop, Exception):
            raise self._stop
        return str(self._stop)


def test_a_line_shows_rates_since_the_look_before() -> None:
    before = Glance(10.0, "RUNNING", records=1000, rows=500)
    now = Glance(12.0, "RUNNING", records=3400, rows=50_000, lag=1234, checkpoint_age=3.6)
    assert now.line(before) == (
        "RUNNING  in 1,200/s  inserted 24,750/s (50,000 rows)  lag 1,234  checkpoint 4 s ago"
    )
    assert now.line(None).startswith("RUNNING  in ?/s  inserted ?/s (50,000 rows)")
    assert "lag ?  checkpoint none yet" in before.line(before)


def test_counts_that_begin_again_make_no_negative_rate() -> None:
    before, now = Glance(1.0, "RUNNING", records=50, rows=50), Glance(2.0, "RUNNING", records=5)
    assert now.line(before).startswith("RUNNING  in 0/s  inserted 0/s (0 rows)")


def test_a_look_gathers_what_flink_says() -> None:
    glance = follow.look(Rest("RUNNING"))
    assert (glance.state, glance.records, glance.rows, glance.lag) == ("RUNNING", 10, 8, 2)
    assert glance.checkpoint_age is None


def test_rows_that_the_sink_refuses_end_the_following_with_their_place() -> None:
    with pytest.raises(JobError) as error:
        follow.look(Rest("RESTARTING", failure=TRACE))
    assert str(error.value) == "s.t: column n Int64 cannot take x: no; filter it."


def test_a_restart_for_another_reason_goes_on_until_flink_gives_up() -> None:
    failure = "java.io.IOException: away\n\tat x"
    assert follow.look(Rest("RESTARTING", failure=failure)).state == "RESTARTING"
    with pytest.raises(JobError, match=r"job abc: Flink gave up: java.io.IOException: away; see"):
        follow.look(Rest("FAILED", failure=failure))
    with pytest.raises(JobError, match="no reason given"):
        follow.look(Rest("FAILED"))


@pytest.mark.parametrize("terminal", [True, False])
def test_following_shows_the_job_until_it_cannot_go_on(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "LIVE_EVERY", 0.01)
    out = StringIO()
    console = Console(file=out, force_terminal=terminal, width=200)
    with pytest.raises(JobError, match="gave up"):
        follow.until(threading.Event(), Rest("RUNNING", "RUNNING", "FAILED"), console)
    if not terminal:
        assert out.getvalue().splitlines()[-1].startswith("RUNNING  in ?/s")


def test_following_ends_when_asked() -> None:
    asked = threading.Event()
    asked.set()
    follow.until(asked, Rest("RUNNING"), Console(file=StringIO()))


def test_stopping_says_where_the_savepoint_is_or_that_there_is_none(tmp_path: Path) -> None:
    for stop, words in (
        ("file:/x/savepoint-1", "stopped; saved to /x/savepoint-1"),
        (ServiceError("no savepoint after 120 s"), "resumes from the last checkpoint"),
    ):
        out = StringIO()
        follow.stop(Rest("RUNNING", stop=stop), tmp_path, Console(file=out, width=200))
        assert words in out.getvalue()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_to_stop(number: signal.Signals) -> None:
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        with follow.stop_signal() as asked:
            assert not asked.is_set()
            os.kill(os.getpid(), number)
            assert asked.wait(5)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
