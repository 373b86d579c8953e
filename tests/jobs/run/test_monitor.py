from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from jobs.run import monitor
from jobs.run.status import JobStatus
from lib.errors import JobError, MillraceError, RestartError, ServiceError
from lib.signals import Signals
from tests.jobs.run.support import Rest


def nothing() -> None:
    pass


def unchanged(now: JobStatus, before: JobStatus | None) -> JobStatus:
    return now


@pytest.mark.parametrize("terminal", [True, False])
def test_following_shows_the_job_until_it_cannot_go_on(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "LIVE_EVERY", 0.01)
    out = StringIO()
    console = Console(file=out, force_terminal=terminal, width=200)
    with pytest.raises(JobError, match="gave up"):
        monitor.follow(
            Signals(), Rest("RUNNING", "RUNNING", "FAILED"), console, nothing, nothing, unchanged
        )
    assert "RUNNING  in " in out.getvalue()


def follow_to_its_end(*states: str) -> list[str]:
    """The lines in a log file until the last of the states, FAILED or silence, ends them."""
    out = StringIO()
    with pytest.raises(MillraceError):
        monitor.follow(
            Signals(), Rest(*states), Console(file=out, width=200), nothing, nothing, unchanged
        )
    return out.getvalue().splitlines()


def test_a_slow_answer_is_shown_and_does_not_end_the_following(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(monitor, "LIVE_EVERY", 0.01)
    lines = follow_to_its_end("silent", "RUNNING", "silent", "silent", "RUNNING", "FAILED")
    silence = "NO ANSWER  Flink at x:1 does not answer; see var/log."
    assert [line.split("  lag")[0] for line in lines] == [
        silence,
        "RUNNING  in ?/s  inserted ?/s (8 rows)",
        silence,
        "RUNNING  in 0/s  inserted 0/s (8 rows)",
    ]


def test_a_long_silence_ends_the_following(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "LIVE_EVERY", 0.01)
    monkeypatch.setattr(monitor, "SILENCE_LIMIT", 0.1)
    with pytest.raises(
        RestartError,
        match=r"^Flink at x:1 does not answer; see var/log; it did not answer for 0 s, ",
    ):
        console = Console(file=StringIO())
        monitor.follow(Signals(), Rest("RUNNING", "silent"), console, nothing, nothing, unchanged)


def test_a_signal_ends_the_following() -> None:
    signals = Signals()
    signals.add()
    monitor.follow(signals, Rest("RUNNING"), Console(file=StringIO()), nothing, nothing, unchanged)


def test_stopping_shows_the_savepoint_or_that_there_is_none(tmp_path: Path) -> None:
    saved = tmp_path / "saved" / "chk-1"
    saved.mkdir(parents=True)
    (saved / "_metadata").touch()
    none = ServiceError("no savepoint after 120 s")
    for folder, stop, words in (
        (tmp_path, "file:/x/savepoint-1", "stopped; saved to /x/savepoint-1"),
        (tmp_path, none, f"(no savepoint after 120 s); the next start resumes from {saved}"),
        (tmp_path / "empty", none, "(no savepoint after 120 s); the next start begins at the"),
    ):
        out = StringIO()
        console = Console(file=out, width=400, soft_wrap=True)
        monitor.stop(Rest("RUNNING", stop=stop), folder, console)
        assert words in out.getvalue()


def test_an_error_of_the_regular_maintenance_ends_the_following(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(monitor, "LOG_EVERY", 0.0)

    def check() -> None:
        raise JobError("topic ticks: was recreated")

    with pytest.raises(JobError, match="was recreated"):
        monitor.follow(
            Signals(), Rest("RUNNING"), Console(file=StringIO()), nothing, check, unchanged
        )


def test_an_ended_java_is_noticed_before_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "LIVE_EVERY", 0.0)

    def check() -> None:
        raise RestartError("Flink's Java ended.")

    out = StringIO()
    with pytest.raises(RestartError):
        monitor.follow(Signals(), Rest("silent"), Console(file=out), check, nothing, unchanged)
    assert "NO ANSWER" not in out.getvalue()
