"""All problems that prevent a job's start, in one error; tests/e2e/test_plan.py has real plans."""

import pytest
from clickhouse_connect.driver.client import Client

from jobs.plan import check, compiled_plan
from jobs.targets import calls
from jobs.targets.calls import Call
from lib.errors import JobError
from lib.sqlfiles import SqlFile


def insert(number: int, target: str) -> SqlFile:
    text = f"-- All.\nINSERT INTO inserted\nSELECT clickhouse_insert('{target}', a) FROM v"
    return SqlFile(number, "insert", "t", f"sql/{number}_insert_t.sql", text)


def compiled(called: tuple[Call, ...], *values: dict[str, object]) -> compiled_plan.Plan:
    """A plan in which each call gets these values from one source."""
    nodes: dict[int, dict[str, object]] = {1: {"id": 1, "type": "stream-exec-table-source-scan_2"}}
    for number, call in enumerate(called, 2):
        target = {"kind": "LITERAL", "value": call.text}
        made = {"systemName": "clickhouse_insert", "operands": [target, *values]}
        nodes[number] = {"id": number, "type": "stream-exec-python-calc_1", "projection": [made]}
    edges = {
        number: [{"source": 1, "shuffle": {"type": "FORWARD"}}] for number in nodes if number > 1
    }
    return compiled_plan.Plan(nodes, edges)


def problems(client: Client, files: list[SqlFile], *values: dict[str, object]) -> list[str]:
    called = calls.read(files)
    with pytest.raises(JobError) as error:
        check.check(compiled(called, *values), called, client)
    return error.value.lines


def test_all_problems_of_all_files_are_reported_at_once(client: Client, database: str) -> None:
    client.command(
        f"CREATE TABLE {database}.t (n Int64, kafka_partition Int32, kafka_offset Int64)"
        " ENGINE = MergeTree ORDER BY n"
    )
    place = "kafka_partition, kafka_offset, kafka_timestamp"
    files = [
        insert(900, f"{database}.gone (n)"),
        insert(910, f"{database}.t ({place}, m)"),
        insert(920, f"{database}.t (n) AS fine"),
        insert(930, f"{database}.t (n, kafka_offset, kafka_partition) AS other"),
    ]
    column = {"kind": "INPUT_REF", "inputIndex": 0}
    assert problems(client, files, column) == [
        f"sql/900_insert_t.sql:3: {database}.gone: table not found in ClickHouse; add a new file "
        "to sql/clickhouse that makes it, then run `make migrate`.",
        f"sql/910_insert_t.sql:3: {database}.t: has no column kafka_timestamp and no column m (it "
        "has n, kafka_partition, kafka_offset); fix the target, or add the column in a new file of "
        "sql/clickhouse.",
        f"sql/910_insert_t.sql:3: {database}.t: no column names the writer of a row; add "
        "inserted_by LowCardinality(String) to the table, and leave it out of the target.",
        f"sql/910_insert_t.sql:3: {database}.t: 1 values for 4 columns; give one value for each "
        "column named.",
        f"sql/930_insert_t.sql:3: {database}.t: the target names no kafka_timestamp that is a "
        "time, by which a topic that was recreated is noticed; add kafka_timestamp DateTime64(3, "
        "'UTC') to table and target.",
        f"sql/930_insert_t.sql:3: {database}.t: no column names the writer of a row; add "
        "inserted_by LowCardinality(String) to the table, and leave it out of the target.",
        f"sql/930_insert_t.sql:3: {database}.t: 1 values for 3 columns; give one value for each "
        "column named.",
    ]


def test_constants_alone_give_no_number_of_rows(client: Client, database: str) -> None:
    client.command(f"CREATE TABLE {database}.t (n Int64) ENGINE = MergeTree ORDER BY n")
    assert problems(client, [insert(900, f"{database}.t (n)")], {"kind": "LITERAL"}) == [
        f"sql/900_insert_t.sql:3: {database}.t: all values are constants; "
        "name a column of the stream."
    ]


def test_problems_of_the_plan_and_the_tables_are_reported_together(
    client: Client, database: str
) -> None:
    called = calls.read(
        [insert(900, f"{database}.gone (n)"), insert(910, f"{database}.gone (n) AS b")]
    )
    with pytest.raises(JobError) as error:
        check.check(compiled(called[:1], {"kind": "INPUT_REF"}), called, client)
    first, *others = error.value.lines
    assert first.startswith("sql/910_insert_t.sql:3: Flink would call clickhouse_insert 0 times; ")
    assert [line[:20] for line in others] == ["sql/900_insert_t.sql", "sql/910_insert_t.sql"]
    with pytest.raises(JobError, match="0 times"):
        check.check(compiled(called[:1], {"kind": "INPUT_REF"}), called, None)
