import pytest

from jobs.run import failures, status
from jobs.run.failures import UnreadableError
from lib.errors import JobError
from tests.jobs.run.support import Rest

TRACE = """\
java.lang.RuntimeException: Error received from SDK harness
Traceback (most recent call last):
lib.errors.JobError: column n Int64 cannot take x: no
lib.errors.SinkError: s.t: column n Int64 cannot take x: no; filter it.
lib.errors.SinkError: clickhouse_insert: s.t: column n Int64 cannot take x: no; filter it.
\tat org.apache.flink
Caused by: java.io.IOException: the inner one
"""


@pytest.mark.parametrize("state", ["RESTARTING", "RUNNING"])
def test_rows_that_the_sink_refuses_end_the_job_with_their_place(state: str) -> None:
    """Also if Flink has restarted the job since the last request."""
    with pytest.raises(JobError) as error:
        status.read(Rest(state, failure=TRACE))
    assert str(error.value) == "s.t: column n Int64 cannot take x: no; filter it."


UNREADABLE = """\
java.io.IOException: Failed to deserialize consumer record due to
\tat org.apache.flink.connector.kafka
Caused by: java.io.IOException: Failed to deserialize JSON '{"volume": "x"}'.
\tat org.apache.flink.formats.json
Caused by: org.apache.flink.formats.json.JsonToRowDataConverters$JsonParseException: Fail to read it
\tat org.apache.flink.formats.json
"""


def test_a_record_that_can_never_be_read_ends_the_job_and_is_shown() -> None:
    with pytest.raises(JobError) as error:
        status.read(Rest("RESTARTING", failure=UNREADABLE))
    assert str(error.value) == (
        'a record of the source cannot be read: {"volume": "x"}: Fail to read it; read the '
        "field as STRING and TRY_CAST it, or set 'json.ignore-parse-errors' = 'true' in the "
        "source, which makes such a field NULL and skips what is no JSON, and filter NULL."
    )


def failure(record: str, *last: str, shown: str = "Failed to deserialize JSON") -> str:
    """A trace as for a record that Flink cannot read, with its last cause."""
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
        status.read(Rest("RESTARTING", failure=trace))
    assert error.value.record == record
    assert str(error.value).startswith(f"a record of the source cannot be read: {fact}")


def test_a_failure_of_the_sink_while_a_record_is_read_is_not_about_the_record() -> None:
    """A failure of the sink can pass through the record that completed its batch."""
    for trace in (
        f"{UNREADABLE}Caused by: java.net.ConnectException: refused\n\tat x\n",
        failure("{}", "Caused by: java.lang.RuntimeException: closed", BEHIND, FORMAT),
    ):
        assert status.read(Rest("RESTARTING", failure=trace)).state == "RESTARTING"


@pytest.mark.parametrize(
    ("failure", "reason"),
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
def test_the_reason_is_the_first_failure_in_few_words(failure: str, reason: str) -> None:
    assert failures.reason(failure) == reason


def test_a_restart_for_another_reason_goes_on_until_flink_gives_up() -> None:
    failure = "java.io.IOException: unavailable\n\tat x"
    assert status.read(Rest("RESTARTING", failure=failure)).state == "RESTARTING"
    with pytest.raises(
        JobError, match=r"job abc: Flink gave up: java.io.IOException: unavailable; see"
    ):
        status.read(Rest("FAILED", failure=failure))
    with pytest.raises(JobError, match="no reason given"):
        status.read(Rest("FAILED"))
