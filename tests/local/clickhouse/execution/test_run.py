"""The answer to a query: its format, its status, and what readonly forbids."""

from typing import Any

import pytest

from lib.clickhouse_errors import Code
from tests.local.clickhouse.conftest import Embedded, code_of


@pytest.mark.parametrize(
    ("sql", "fmt"),
    [
        ("SELECT 1 WHERE 0", "TabSeparated"),
        ("WITH 1 AS x SELECT x FORMAT CSV", "CSV"),
        ("SHOW TABLES LIKE 'nosuch'", "TabSeparated"),
        ("EXISTS nosuch", "TabSeparated"),
        ("DROP TABLE IF EXISTS nosuch", None),
        ("SET max_threads = 1", None),
        ("INSERT INTO FUNCTION null('a Int8') VALUES (1)", None),
        ("INSERT INTO FUNCTION null('a Int8') SELECT 1", None),
        ("SYSTEM FLUSH LOGS", None),
    ],
)
def test_only_an_answer_has_a_format(server: Embedded, sql: str, fmt: str | None) -> None:
    response = server.post(sql)
    assert response.status_code == 200, response.text
    assert response.headers.get("x-clickhouse-format") == fmt


@pytest.mark.parametrize(
    ("sql", "options", "answer"),
    [
        ("SELECT 1 AS x", {}, "1\n"),
        ("SELECT 1 AS x", {"params": {"default_format": "JSONEachRow"}}, '{"x":1}\n'),
        ("SELECT 1 AS x", {"headers": {"X-ClickHouse-Format": "CSVWithNames"}}, '"x"\n1\n'),
        ("SELECT 1 AS format FORMAT CSV -- done", {"params": {"default_format": "XML"}}, "1\n"),
        ("SELECT 1 AS x WHERE 0 FORMAT CSVWithNames", {}, '"x"\n'),
        ("SELECT number % 2 AS k, 2 FROM numbers(1) GROUP BY k WITH TOTALS", {}, "0\t2\n\n0\t2\n"),
    ],
)
def test_formats(server: Embedded, sql: str, options: dict[str, Any], answer: str) -> None:
    assert server.http.post(server.url, content=sql, **options).text == answer


def test_waiting_for_the_end_gives_the_right_status(server: Embedded) -> None:
    sql = "SELECT throwIf(number = 4000000) FROM numbers(9000000)"
    assert server.post(sql, wait_end_of_query="1").status_code == 500


@pytest.mark.parametrize("session", [{}, {"session_id": "ro"}])
@pytest.mark.parametrize(
    ("readonly", "sql", "code"),
    [
        ("1", "CREATE TABLE no (a Int8) ENGINE = Memory", Code.READONLY),
        ("1", "INSERT INTO FUNCTION null('a Int8') VALUES (1)", Code.READONLY),
        ("1", "SET max_threads = 1", Code.READONLY),
        ("1", "SELECT 1", None),
        ("2", "CREATE TABLE no (a Int8) ENGINE = Memory", Code.READONLY),
        ("2", "SET max_threads = 1", None),
        ("0", "CREATE OR REPLACE TEMPORARY TABLE yes (a Int8) ENGINE = Memory", None),
    ],
)
def test_readonly_holds_for_the_query(
    server: Embedded, session: dict[str, str], readonly: str, sql: str, code: int
) -> None:
    response = server.post(sql, readonly=readonly, **session)
    assert code_of(response) == code
