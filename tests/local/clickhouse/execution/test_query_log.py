"""system.query_log, as the embedded server keeps it."""

import json
from typing import Any

import httpx
import pytest

from lib.clickhouse_errors import Code
from tests.local.clickhouse.conftest import Embedded


def logged(server: Embedded, query_id: str, columns: str) -> list[list[Any]]:
    sql = f"SELECT {columns} FROM system.query_log WHERE query_id = '{query_id}'"
    rows = server.sql(sql, default_format="JSONCompactEachRow")
    return [json.loads(row) for row in rows.splitlines()]


def test_a_query_is_logged_under_its_id(server: Embedded) -> None:
    server.sql("SELECT number FROM numbers(7)", query_id="log-1", log_comment="mine")
    columns = (
        "type, query, query_kind, user, current_database, read_rows, result_rows, log_comment, "
        "abs(now() - event_time) < 90, event_date = toDate(event_time), "
        "query_duration_ms < 90000, event_time_microseconds >= query_start_time_microseconds"
    )
    sql = "SELECT number FROM numbers(7)"
    expected = ["QueryFinish", sql, "Select", "default", "default", 7, 7, "mine", 1, 1, 1, 1]
    assert logged(server, "log-1", columns) == [expected]


def test_an_insert_is_logged_without_its_rows(server: Embedded, table: str) -> None:
    server.sql("1\n2\n", query=f"INSERT INTO {table} (a) FORMAT CSV", query_id="log-2")
    [row] = logged(server, "log-2", "query, query_kind, written_rows")
    assert row == [f"INSERT INTO {table} (a) ", "Insert", 2]


@pytest.mark.parametrize(
    ("query_id", "sql", "kind", "code"),
    [
        ("log-3", "SELECT nosuch", "ExceptionBeforeStart", Code.UNKNOWN_IDENTIFIER),
        ("log-4", "SELEC \xff", "ExceptionBeforeStart", Code.SYNTAX_ERROR),
        ("log-5", "SELECT throwIf(number = 4000000) FROM numbers(9000000)", None, 395),
    ],
)
def test_an_error_is_logged(
    server: Embedded, query_id: str, sql: str, kind: str | None, code: int
) -> None:
    if kind:
        server.post(sql.encode("latin-1"), query_id=query_id)
    else:
        with pytest.raises(httpx.RemoteProtocolError):
            server.post(sql, query_id=query_id)
    expected = [kind or "ExceptionWhileProcessing", code, 1]
    columns = f"type, exception_code, startsWith(exception, 'Code: {code}. ')"
    assert logged(server, query_id, columns) == [expected]


def test_the_log_can_be_dropped_and_is_created_again(server: Embedded) -> None:
    server.sql("SELECT 1", query_id="log-6")
    server.sql("DROP TABLE IF EXISTS system.query_log")
    server.sql("SELECT 1", query_id="log-7")
    assert logged(server, "log-6", "1") == []
    assert logged(server, "log-7", "1") == [[1]]


def test_a_reader_sees_its_queries(server: Embedded) -> None:
    server.post("SELECT 42", reader=True, query_id="log-8")
    sql = "SELECT user FROM system.query_log WHERE query_id = 'log-8'"
    assert server.post(sql, reader=True).text == "reader\n"
