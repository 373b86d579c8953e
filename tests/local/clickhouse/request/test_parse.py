"""The statement, its data and its format, out of the address and the body."""

import pytest

from lib.clickhouse_errors import Code
from tests.local.clickhouse.conftest import Embedded, code_of

ROW = b'{"a": 1}\n'


def test_the_body_continues_the_query(server: Embedded) -> None:
    assert server.sql("2", query="SELECT 1 +") == "3"


def test_a_get_cannot_write(server: Embedded) -> None:
    response = server.http.get(
        server.url, params={"query": "CREATE TABLE no (a Int8) ENGINE = Memory"}
    )
    assert code_of(response) == Code.READONLY
    assert server.sql("EXISTS no") == "0"


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", b"INSERT INTO rows (a) VALUES (1)"),
        ("", b"insert into rows(a) values (1);"),
        ("", b"/* FORMAT CSV */ INSERT INTO rows (a) VALUES (1)"),
        ("", b"INSERT INTO rows (a) SELECT 1"),
        ("", b"INSERT INTO rows FORMAT JSONEachRow " + ROW),
        ("", b"INSERT INTO rows (a) SETTINGS async_insert = 0 FORMAT CSV\n1"),
        ("", b"INSERT INTO rows (a) VALUES ({one:Int64})"),
        ("INSERT INTO rows FORMAT JSONEachRow", ROW),
        ("INSERT INTO rows (a) VALUES", b"(1)"),
        ("INSERT INTO rows (a) FORMAT RowBinary", (1).to_bytes(8, "little")),
        ("INSERT INTO rows (a) VALUES (1)", b""),
    ],
)
def test_ways_to_insert(server: Embedded, table: str, query: str, body: bytes) -> None:
    response = server.post(body, query=query, param_one="1")
    assert response.status_code == 200, response.text
    assert server.sql("SELECT groupArray((a, b)) FROM rows") == "[(1,'none')]"


def test_an_input_format_by_header(server: Embedded, table: str) -> None:
    headers = {"X-ClickHouse-Format": "JSONEachRow"}
    params = {"query": "INSERT INTO rows"}
    assert (
        server.http.post(server.url, params=params, content=ROW, headers=headers).status_code == 200
    )
    assert server.sql("SELECT count() FROM rows") == "1"


@pytest.mark.parametrize(
    "sql",
    [
        b"INSERT INTO FUNCTION null('a Int8') FORMAT \xff\n1\n",
        b"INSERT INTO FUNCTION null('a Int8') FORMAT `\xff`\n1\n",
        "INSERT INTO FUNCTION null('a Int8') FORMAT\u00a0CSV\n1\n".encode(),
        b"SELECT 1 FORMAT \xff",
        b"SELECT 1 FORMAT `\xff`",
    ],
)
def test_a_format_that_is_not_utf_8_is_refused(server: Embedded, sql: bytes) -> None:
    response = server.post(sql)
    assert code_of(response) in (Code.SYNTAX_ERROR, Code.UNKNOWN_FORMAT), response.text
    assert response.status_code in (400, 404)
