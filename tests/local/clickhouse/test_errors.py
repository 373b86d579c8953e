"""The code and the HTTP status of each error."""

import pytest

from lib.clickhouse_errors import Code
from tests.local.clickhouse.conftest import Embedded, code_of


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELECT * FROM nosuch", 404, Code.UNKNOWN_TABLE),
        ("SELEC", 400, Code.SYNTAX_ERROR),
        ("", 400, Code.SYNTAX_ERROR),
        ("SELECT 1; SELECT 2", 400, Code.SYNTAX_ERROR),
        ("SELECT nosuch", 404, Code.UNKNOWN_IDENTIFIER),
        ("SELECT 1 FORMAT Nosuch", 404, Code.UNKNOWN_FORMAT),
        ("SELECT throwIf(1)", 500, 395),
        ("SELECT {x:UInt8}", 500, 456),
        ("INSERT INTO nosuch VALUES (1)", 404, Code.UNKNOWN_TABLE),
        ("SELECT toDate('x') FORMAT JSON", 400, Code.CANNOT_PARSE_DATE),
        (
            "INSERT INTO no SELECT x FROM input('x Int64') FORMAT CSV\n1\n",
            501,
            Code.NOT_IMPLEMENTED,
        ),
        (
            "WITH x AS (SELECT * FROM input('a Int64')) "
            "INSERT INTO no SELECT * FROM x FORMAT CSV\n1\n2\n",
            501,
            Code.NOT_IMPLEMENTED,
        ),
    ],
)
def test_errors(server: Embedded, sql: str, status: int, code: int) -> None:
    response = server.post(sql)
    assert (response.status_code, code_of(response)) == (status, code)
    assert response.text.startswith(f"Code: {code}. DB::Exception: ")
    assert "(version " in response.text
