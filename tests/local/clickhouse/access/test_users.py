"""Users and how a request names one."""

from typing import Any

import pytest

from lib.clickhouse_errors import Code
from tests.local.clickhouse.conftest import Embedded, code_of


@pytest.mark.parametrize(
    "options",
    [
        {"auth": ("reader", "")},
        {"params": {"user": "reader"}},
        {"headers": {"X-ClickHouse-User": "reader", "X-ClickHouse-Key": ""}},
    ],
)
def test_ways_to_name_a_user(server: Embedded, options: dict[str, Any]) -> None:
    response = server.http.post(server.url, content="SELECT getSetting('readonly')", **options)
    assert response.text == "1\n"


@pytest.mark.parametrize(
    "options",
    [
        {"auth": ("nobody", "")},
        {"headers": {"Authorization": "Bearer x"}},
        {"auth": ("default", ""), "params": {"user": "default"}},
    ],
)
def test_an_unknown_user_is_refused(server: Embedded, options: dict[str, Any]) -> None:
    response = server.http.post(server.url, content="SELECT 1", **options)
    assert (response.status_code, code_of(response)) == (403, Code.AUTHENTICATION_FAILED)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT number FROM numbers(2000000)", Code.TOO_MANY_ROWS_OR_BYTES),
        ("SELECT groupArray(number) FROM numbers(500000000)", Code.MEMORY_LIMIT_EXCEEDED),
    ],
)
def test_limits_hold(server: Embedded, sql: str, code: int) -> None:
    response = server.post(sql, reader=True, wait_end_of_query="1")
    assert code_of(response) == code
