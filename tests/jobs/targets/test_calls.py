"""Calls of the sink that are refused before Flink starts."""

import pytest

from jobs.targets import calls
from lib.errors import JobError
from lib.sqlfiles import SqlFile

CALL = "clickhouse_insert('s.t (a)', a)"


def file(text: str, kind: str = "insert", number: int = 900) -> SqlFile:
    return SqlFile(number, kind, "t", f"sql/{number}_{kind}_t.sql", text)


def refusal(*files: SqlFile) -> str:
    with pytest.raises(JobError) as error:
        calls.read(files)
    return str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        f"INSERT INTO inserted SELECT {CALL} FROM v",
        f"-- All.\nINSERT INTO inserted\nSELECT -- once\n    {CALL} AS stored\nFROM v WHERE a > 1",
        f"insert into `inserted` (stored) select {CALL} from v",
        f"INSERT INTO inserted(stored) SELECT {CALL} FROM v",
        "INSERT INTO inserted SELECT clickhouse_insert (\n 's.t (a)' , a) FROM v",
        "INSERT INTO elsewhere SELECT a FROM v -- not by clickhouse_insert",
    ],
)
def test_an_insert_that_calls_the_sink_first_is_right(text: str) -> None:
    calls.read([file(text)])


@pytest.mark.parametrize(
    "text",
    [
        f"INSERT INTO inserted SELECT a FROM v WHERE {CALL} = 1 AND a > 1",
        f"INSERT INTO inserted SELECT stored FROM (SELECT {CALL} AS stored FROM v)",
        f"INSERT INTO inserted SELECT a, {CALL} FROM v",
        f"INSERT INTO inserted WITH w AS (SELECT * FROM v) SELECT {CALL} FROM w",
        "INSERT INTO inserted SELECT clickhouse_insert(a, b) FROM v",
    ],
)
def test_a_call_in_another_place_is_refused(text: str) -> None:
    assert refusal(file(text)) == (
        "sql/900_insert_t.sql: clickhouse_insert with its target as a text does not come first "
        "after SELECT; write INSERT INTO <sink> SELECT clickhouse_insert('table (columns)', ...) "
        "FROM <view>, and filter and join in the view."
    )


@pytest.mark.parametrize(
    "text",
    [
        f"INSERT INTO inserted SELECT {CALL} + {CALL} FROM v",
        f"INSERT INTO inserted SELECT {CALL} FROM v UNION ALL SELECT {CALL} FROM w",
    ],
)
def test_a_second_call_is_refused(text: str) -> None:
    assert refusal(file(text)) == (
        "sql/900_insert_t.sql: clickhouse_insert is called more than once; give each target an "
        "insert file of its own, with INSERT INTO ... SELECT."
    )


def test_a_call_in_a_view_is_refused() -> None:
    view = file(f"CREATE VIEW t AS SELECT {CALL} FROM v", "view", 200)
    assert refusal(view, file("INSERT INTO x SELECT 1")) == (
        "sql/200_view_t.sql: clickhouse_insert is called in a view, where Flink may call it often "
        "or never; call it in an insert file, with INSERT INTO ... SELECT."
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("001_function_clickhouse_insert", "CREATE FUNCTION clickhouse_insert AS 'a.b'"),
        ("001_function_store", "CREATE FUNCTION store AS 'jobs.sink.clickhouse_insert'"),
        ("200_view_clickhouse_insert", "CREATE VIEW clickhouse_insert AS SELECT 1"),
    ],
)
def test_a_file_that_defines_the_sink_again_is_to_be_deleted(name: str, text: str) -> None:
    kind = name.split("_")[1]
    made = SqlFile(1, kind, name.removeprefix(f"{name[:4]}{kind}_"), f"sql/{name}.sql", text)
    assert refusal(made, file(f"INSERT INTO inserted SELECT {CALL} FROM v")) == (
        f"sql/{name}.sql: clickhouse_insert is defined in every job; delete the file."
    )


def test_a_wrong_target_is_reported_with_file_and_line() -> None:
    text = "-- All.\nINSERT INTO inserted\nSELECT clickhouse_insert('s.t', a) FROM v"
    assert refusal(file(text)).startswith("sql/900_insert_t.sql:3: clickhouse_insert: 's.t' is not")


def test_two_inserts_under_one_name_are_refused() -> None:
    first, second = (
        file(f"INSERT INTO inserted SELECT {CALL} FROM v", number=n) for n in (900, 910)
    )
    assert refusal(first, second) == (
        "sql/910_insert_t.sql:1: writes as t, as sql/900_insert_t.sql:1 does; "
        "write 'table (columns) AS another_name'."
    )
    named = file(
        "INSERT INTO inserted SELECT clickhouse_insert('s.t (a) AS u', a) FROM v", number=910
    )
    assert [call.text for call in calls.read([first, named])] == ["s.t (a)", "s.t (a) AS u"]


def test_a_job_without_an_insert_is_refused() -> None:
    assert refusal(file("CREATE TABLE t (a INT)", "source", 100)) == (
        "sql/100_source_t.sql: the job has no insert; add 900_insert_<name>.sql beside it."
    )


ELSE = "s.t (a, kafka_partition, kafka_offset, kafka_timestamp){} ELSE s.dead (reason)"


def source(name: str, topic: str, number: int) -> SqlFile:
    text = (
        f"CREATE TEMPORARY TABLE {name} (a INT) WITH ('connector' = 'kafka', 'topic' = '{topic}')"
    )
    return SqlFile(number, "source", name, f"sql/{number}_source_{name}.sql", text)


def view(name: str, text: str, number: int) -> SqlFile:
    return SqlFile(number, "view", name, f"sql/{number}_view_{name}.sql", text)


def insert_else(reads: str, number: int = 900, name: str = "") -> SqlFile:
    target = ELSE.format(name)
    return file(
        f"INSERT INTO inserted SELECT clickhouse_insert('{target}') FROM {reads}", number=number
    )


SOURCES = [source("raw", "one", 100), source("other", "two", 110)]


def test_dead_letters_belong_to_the_topic_that_the_insert_reads_through_views() -> None:
    views = [view("b", "SELECT * FROM a", 210), view("a", "SELECT * FROM raw -- not other", 200)]
    (call,) = calls.read([*SOURCES, *views, insert_else("b")])
    assert call.topic == "one"


@pytest.mark.parametrize(
    ("reads", "topics"), [("raw JOIN other", "one and two"), ("elsewhere", "none")]
)
def test_dead_letters_need_records_of_one_topic(reads: str, topics: str) -> None:
    assert refusal(*SOURCES, insert_else(reads)) == (
        "sql/900_insert_t.sql:1: ELSE is for the records of one topic, and these are of "
        f"{topics}; give each topic an insert of its own, or leave ELSE out."
    )


def test_an_insert_may_have_the_name_of_the_view_that_it_reads() -> None:
    view = file("CREATE TEMPORARY VIEW t AS SELECT a FROM raw", "view", 200)
    (call,) = calls.read([*SOURCES, view, insert_else("t")])
    assert call.topic == "one"


def test_one_insert_accounts_for_a_topic() -> None:
    assert refusal(*SOURCES, insert_else("raw"), insert_else("raw", 910, " AS u")) == (
        "sql/910_insert_t.sql:1: has ELSE for the topic one, as sql/900_insert_t.sql:1 has; let "
        "one of them account for its records, and read the valid ones in the other."
    )
    calls.read([*SOURCES, insert_else("raw"), insert_else("other", 910, " AS u")])


def test_an_insert_is_beside_the_one_that_accounts_for_all_of_its_topics() -> None:
    plain = ELSE.partition("{}")[0]

    def beside(reads: str, target: str = plain) -> bool:
        text = f"INSERT INTO inserted SELECT clickhouse_insert('{target} AS u') FROM {reads}"
        _, call = calls.read([*SOURCES, insert_else("raw"), file(text, number=910)])
        return call.is_beside

    assert beside("raw")
    assert not beside("other") and not beside("raw JOIN other")
    assert not beside("raw", "s.t (a)")
