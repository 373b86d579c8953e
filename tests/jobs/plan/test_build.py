"""What a job's files are refused for before Flink sees them, and how its failures are told."""

import pytest

from jobs.flink import java_errors
from jobs.plan import build
from jobs.targets.target import calls
from lib import settings
from lib.errors import JobError
from lib.sqlfiles import SqlFile

CALL = "clickhouse_insert('s.t (a)', a)"


def file(text: str, kind: str = "insert", number: int = 900) -> SqlFile:
    return SqlFile(number, kind, "t", f"sql/{number}_{kind}_t.sql", text)


def refusal(*files: SqlFile) -> str:
    with pytest.raises(JobError) as error:
        build.check_writers(files)
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
    build.check_writers([file(text)])


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
def test_a_file_that_makes_the_sink_again_is_to_be_deleted(name: str, text: str) -> None:
    kind = name.split("_")[1]
    made = SqlFile(1, kind, name.removeprefix(f"{name[:4]}{kind}_"), f"sql/{name}.sql", text)
    assert refusal(made, file(f"INSERT INTO inserted SELECT {CALL} FROM v")) == (
        f"sql/{name}.sql: clickhouse_insert is there in every job; delete the file."
    )


def test_a_wrong_target_is_told_with_file_and_line() -> None:
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
    build.check_writers([first, named])
    assert [call.text for call in calls([first, named])] == ["s.t (a)", "s.t (a) AS u"]


def test_a_job_without_an_insert_is_refused() -> None:
    assert refusal(file("CREATE TABLE t (a INT)", "source", 100)) == (
        "sql/100_source_t.sql: the job has no insert; add 900_insert_<name>.sql beside it."
    )


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (
            "An error occurred while calling o1.addInsertSql.\n"
            ": org.apache.flink.table.api.ValidationException: SQL validation failed.\n\tat x\n"
            "Caused by: org.apache.calcite.runtime.CalciteContextException: middle\n\tat y\n"
            "Caused by: org.apache.calcite.sql.validate.SqlValidatorException: Column 'a'\n\tat z",
            "Column 'a'",
        ),
        (
            "org.apache.flink.table.api.ValidationException: Column types of query result and sink"
            " for 'a.b.inserted' do not match.\nCause: Incompatible types for sink column 'stored'"
            " at position 0.\n\nQuery schema: [stored: STRING]\nSink schema:  [stored: BIGINT]\n"
            "\tat x",
            "Column types of query result and sink for 'a.b.inserted' do not match: Incompatible "
            "types for sink column 'stored' at position 0: [stored: STRING] for [stored: BIGINT]",
        ),
        (
            "An error occurred while calling o1.x.\n: a.b.ValidationException: Unable to\n"
            "Caused by: org.apache.flink.x.ValidationException: Unsupported options found for"
            " 'datagen'.\n\nUnsupported options:\n\nrows\nx.y-z\n\nSupported options:\n\nfields\n"
            "\tat x",
            "Unsupported options found for 'datagen': rows, x.y-z",
        ),
        ("org.apache.flink.table.api.TableException: Cannot do it.\n\tat x", "Cannot do it"),
        ("no class at all", "no class at all"),
    ],
)
def test_a_java_failure_is_told_by_its_innermost_cause(text: str, fact: str) -> None:
    assert java_errors.cause(Exception(text)) == fact


def test_where_flink_listens_is_a_setting_of_ours() -> None:
    config = settings.load(environ={"MILLRACE_FLINK__REST_PORT": "1234"})
    options = build.options(config, "job", {"rest.port": "1", "pipeline.name": "mine"})
    assert (options["rest.port"], options["rest.bind-address"]) == ("1234", "127.0.0.1")
    assert options["pipeline.name"] == "mine"


def test_flink_calls_our_worker_unless_another_python_is_given() -> None:
    config = settings.load(environ={})
    assert build.options(config, "job", {})["python.executable"] == "worker.sh"
    given = {"python.executable": "/x/python"}
    assert build.options(config, "job", given)["python.executable"] == "/x/python"


def test_a_jvm_that_only_plans_keeps_the_options_that_are_given() -> None:
    given = {"a": "1", "env.java.opts.all": "-Xmx1g"}
    quick = {"env.java.opts.all": "-Xmx1g -XX:TieredStopAtLevel=1"}
    assert build.short_lived(given) == given | quick
    assert build.short_lived({})["env.java.opts.all"] == "-XX:TieredStopAtLevel=1"
