from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from jobs.kafka.deleted_records import Lost
from jobs.run import monitor
from jobs.run.monitor import Glance, UnreadableError
from lib.errors import JobError, MillraceError, RestartError, ServiceError
from lib.signals import Signals

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

    job_id, logs = "abc", "var/log"

    def __init__(self, *states: str, failure: str = "", stop: Any = "file:/x/savepoint-1") -> None:
        self._states = list(states)
        self._failure = failure
        self._stop = stop

    def state(self) -> str:
        if self._states[0] == "silent":
            self._states = self._states[1:] or self._states
            raise ServiceError("Flink at x:1 does not answer; see var/log.")
        return self._states.pop(0) if len(self._states) > 1 else self._states[0]

    def last_failure(self) -> str:
        return self._failure

    def metrics(self, names: Any) -> tuple[dict[str, float], dict[tuple[str, int], int]]:
        return {"Source.numRecordsOut": 10.0, "rows_inserted": 8.0}, {("t", 0): 9}

    def last_checkpoint(self) -> None:
        return None

    def stop(self, folder: str) -> str:
        if isinstance(self._stop, Exception):
            raise self._stop
        return str(self._stop)


def pleased() -> None:
    """Nothing is wrong."""


def noted(now: Glance, before: Glance | None) -> Glance:
    """Nobody is told, and nobody knows more."""
    return now


def test_a_line_shows_rates_since_the_look_before() -> None:
    before = Glance(10.0, "RUNNING", records=1000, rows=500)
    lags = {("t", 0): 1200, ("t", 1): 34}
    now = Glance(12.0, "RUNNING", records=3400, rows=50_000, lags=lags, checkpoint_age=3.6)
    assert now.line(before) == (
        "RUNNING  in 1,200/s  inserted 24,750/s (50,000 rows)  lag 1,234  checkpoint 4 s ago"
    )
    assert now.line(None).startswith("RUNNING  in ?/s  inserted ?/s (50,000 rows)")
    assert "lag ?  checkpoint none yet" in before.line(before)


def test_a_line_shows_the_lag_that_is_known_and_of_how_much_it_is_not() -> None:
    lags: dict[tuple[str, int], int | None] = {("t", 0): 1200, ("t", 1): None, ("t", 2): 34}
    line = Glance(1.0, "RUNNING", lags=lags).line(None)
    assert "  lag 1,234 (not known of 1 of 3 partitions)  checkpoint " in line
    assert "  lag ?  " in Glance(1.0, "RUNNING", lags={("t", 0): None}).line(None)


def test_a_line_shows_how_many_records_were_lost() -> None:
    lost = [Lost("t", 0, 10, 59), Lost("t", 3, 2_000, 2_999)]
    assert Glance(1.0, "RUNNING", lost=lost).line(None).endswith("checkpoint none yet  lost 1,050")


def test_counts_that_begin_again_make_no_negative_rate() -> None:
    before, now = Glance(1.0, "RUNNING", records=50, rows=50), Glance(2.0, "RUNNING", records=5)
    assert now.line(before).startswith("RUNNING  in 0/s  inserted 0/s (0 rows)")


def test_a_look_gathers_what_flink_says() -> None:
    glance = monitor.look(Rest("RUNNING"))
    assert (glance.state, glance.records, glance.rows) == ("RUNNING", 10, 8)
    assert glance.positions == {("t", 0): 9}
    assert glance.checkpoint_age is None


@pytest.mark.parametrize("state", ["RESTARTING", "RUNNING"])
def test_rows_that_the_sink_refuses_end_the_following_with_their_place(state: str) -> None:
    """Also where Flink has started the job again before anybody looked."""
    with pytest.raises(JobError) as error:
        monitor.look(Rest(state, failure=TRACE))
    assert str(error.value) == "s.t: column n Int64 cannot take x: no; filter it."


UNREADABLE = """\
java.io.IOException: Failed to deserialize consumer record due to
\tat org.apache.flink.connector.kafka
Caused by: java.io.IOException: Failed to deserialize JSON '{"volume": "x"}'.
\tat org.apache.flink.formats.json
Caused by: org.apache.flink.formats.json.JsonToRowDataConverters$JsonParseException: Fail to read it
\tat org.apache.flink.formats.json
"""


def test_a_record_that_can_never_be_read_ends_the_following_and_is_shown() -> None:
    with pytest.raises(JobError) as error:
        monitor.look(Rest("RESTARTING", failure=UNREADABLE))
    assert str(error.value) == (
        'a record of the source cannot be read: {"volume": "x"}: Fail to read it; read the '
        "field as STRING and TRY_CAST it, or set 'json.ignore-parse-errors' = 'true' in the "
        "source, which makes such a field NULL and skips what is no JSON, and filter NULL."
    )


def failure(record: str, *last: str, shown: str = "Failed to deserialize JSON") -> str:
    """A trace as of one that Flink cannot read, with what went wrong last."""
    return "\n".join(
        [
            "java.io.IOException: Failed to deserialize consumer record due to",
            "\tat org.apache.flink.connector.kafka.source.reader.KafkaRecordEmitter.emitRecord",
            f"Caused by: java.io.IOException: {shown} '{record}'.",
            FORMAT,
            "\t... 15 more",
            *last,
            "",
        ]
    )


FORMAT = (
    "\tat org.apache.flink.formats.json.JsonParserRowDataDeserializationSchema.deserialize(J:91)"
)
BEHIND = (
    "\tat org.apache.flink.streaming.runtime.tasks.ChainingOutput.collect(ChainingOutput.java:75)"
)
NO_CONTENT = (
    "Caused by: org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind."
    "JsonMappingException: No content to map due to end-of-input",
    " at [Source: REDACTED; line: 1, column: 1]",
    FORMAT,
    "\t... 17 more",
)


@pytest.mark.parametrize(
    ("trace", "record", "fact"),
    [
        (failure("null", *NO_CONTENT), "null", "null: not an object; read"),
        (failure('{\n"a": 1,', *NO_CONTENT), '{\n"a": 1,', '{\n"a": 1,: No content to map'),
        (
            failure("a,b", "Caused by: java.lang.RuntimeException: Row length mismatch.",
                    FORMAT, shown="Failed to deserialize CSV row"),
            "a,b", "a,b: Row length mismatch;",
        ),
        (
            failure("{}", "Caused by: java.lang.NullPointerException", FORMAT,
                    shown="Corrupt Debezium JSON message"),
            "{}", "{}: NullPointerException;",
        ),
        (
            failure("{}", "Caused by: java.lang.NumberFormatException: For input: x", BEHIND),
            "{}", "{}: For input: x;",
        ),
    ],
    ids=["null", "lines", "csv", "debezium", "cast"],
)  # fmt: skip
def test_a_record_that_cannot_be_read_is_known_by_what_it_holds(
    trace: str, record: str, fact: str
) -> None:
    with pytest.raises(UnreadableError) as error:
        monitor.look(Rest("RESTARTING", failure=trace))
    assert error.value.record == record
    assert str(error.value).startswith(f"a record of the source cannot be read: {fact}")


def test_a_failure_of_the_sink_below_the_reading_of_a_record_is_not_the_records() -> None:
    """What fails in the sink can come up through the record that filled its batch."""
    for trace in (
        f"{UNREADABLE}Caused by: java.net.ConnectException: refused\n\tat x\n",
        failure("{}", "Caused by: java.lang.RuntimeException: closed", BEHIND, FORMAT),
    ):
        assert monitor.look(Rest("RESTARTING", failure=trace)).state == "RESTARTING"


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ("", ""),
        ("java.lang.RuntimeException: outer\n\tat x\n", "java.lang.RuntimeException: outer"),
        (
            "java.lang.RuntimeException: outer\n\tat x\nCaused by: java.io.IOException: middle\n"
            "\tat y\nCaused by: java.net.ConnectException: inner\n\tat z\n",
            "java.net.ConnectException: inner",
        ),
        (
            "java.lang.RuntimeException: outer\nTraceback (most recent call last):\n"
            "urllib3.exceptions.ProtocolError: first\nclickhouse_connect.OperationalError: last\n"
            "Caused by: java.io.IOException: inner\n",
            "clickhouse_connect.OperationalError: last",
        ),
        (
            "Caused by: java.lang.RuntimeException: Error received from SDK harness for 3: "
            'Traceback (most recent call last):\n  File "a.py", line 1, in b\n    call()\n'
            "concurrent.futures._base.CancelledError\n\n\tat x\n\t... 3 more\n",
            "concurrent.futures._base.CancelledError",
        ),
        (
            "Caused by: java.lang.RuntimeException: Error received from SDK harness for 3: "
            'Traceback (most recent call last):\n  File "a.py", line 1, in b\n',
            "java.lang.RuntimeException: Error received from SDK harness for 3",
        ),
        (f"java.lang.Error: {'x' * 300}", f"java.lang.Error: {'x' * 183}"),
    ],
    ids=["none", "java", "innermost", "python", "without text", "cut off", "long"],
)
def test_the_reason_is_what_failed_first_in_few_words(failure: str, said: str) -> None:
    assert monitor.reason(failure) == said


def test_a_restart_for_another_reason_goes_on_until_flink_gives_up() -> None:
    failure = "java.io.IOException: away\n\tat x"
    assert monitor.look(Rest("RESTARTING", failure=failure)).state == "RESTARTING"
    with pytest.raises(JobError, match=r"job abc: Flink gave up: java.io.IOException: away; see"):
        monitor.look(Rest("FAILED", failure=failure))
    with pytest.raises(JobError, match="no reason given"):
        monitor.look(Rest("FAILED"))


@pytest.mark.parametrize("terminal", [True, False])
def test_following_shows_the_job_until_it_cannot_go_on(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "LIVE_EVERY", 0.01)
    out = StringIO()
    console = Console(file=out, force_terminal=terminal, width=200)
    with pytest.raises(JobError, match="gave up"):
        monitor.until(
            Signals(), Rest("RUNNING", "RUNNING", "FAILED"), console, pleased, pleased, noted
        )
    assert "RUNNING  in " in out.getvalue()


def follow_to_its_end(*states: str) -> list[str]:
    """The lines in a log file until the last of the states, FAILED or silence, ends it."""
    out = StringIO()
    with pytest.raises(MillraceError):
        monitor.until(
            Signals(), Rest(*states), Console(file=out, width=200), pleased, pleased, noted
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
        RestartError, match=r"^Flink at x:1 does not answer; see var/log; it was silent for 0 s, "
    ):
        console = Console(file=StringIO())
        monitor.until(Signals(), Rest("RUNNING", "silent"), console, pleased, pleased, noted)


def test_following_ends_when_asked() -> None:
    asked = Signals()
    asked.add()
    monitor.until(asked, Rest("RUNNING"), Console(file=StringIO()), pleased, pleased, noted)


def test_stopping_says_where_the_savepoint_is_or_that_there_is_none(tmp_path: Path) -> None:
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


def test_what_is_checked_now_and_then_can_end_the_following(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(monitor, "LOG_EVERY", 0.0)

    def check() -> None:
        raise JobError("topic ticks: was recreated")

    with pytest.raises(JobError, match="was recreated"):
        monitor.until(Signals(), Rest("RUNNING"), Console(file=StringIO()), pleased, check, noted)


def test_a_java_that_ended_is_noticed_before_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "LIVE_EVERY", 0.0)

    def check() -> None:
        raise RestartError("Flink's Java ended.")

    out = StringIO()
    with pytest.raises(RestartError):
        monitor.until(Signals(), Rest("silent"), Console(file=out), check, pleased, noted)
    assert "NO ANSWER" not in out.getvalue()
