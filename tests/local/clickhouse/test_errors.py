"""The code and the HTTP status of each error."""

import pytest


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELECT * FROM nosuch", 404, 60),
        ("SELEC", 400, 62),
        ("", 400, 62),
        ("SELECT 1; SELECT 2", 400, 62),
        ("SELECT nosuch", 404, 47),
        ("SELECT 1 FORMAT Nosuch", 404, 73),
        ("SELECT throwIf(1)", 500, 395),
        ("SELECT {x:UInt8}", 500, 456),
        ("INSERT INTO nosuch VALUES (1)", 404, 60),
        ("SELECT toDate('x') FORMAT JSON", 400, 38),
        ("INSERT INTO no SELECT x FROM input('x Int64') FORMAT CSV\n1\n", 501, 48),
        (
            "WITH x AS (SELECT * FROM input('a Int64')) "
            "INSERT INTO no SELECT * FROM x FORMAT CSV\n1\n2\n",
            501,
            48,
        ),
    ],
)
def test_errors(server, sql, status, code):
    response = server.post(sql)
    assert (response.status_code, response.headers["x-clickhouse-exception-code"]) == (
        status,
        str(code),
    )
    assert response.text.startswith(f"Code: {code}. DB::Exception: ")
    assert "(version " in response.text
