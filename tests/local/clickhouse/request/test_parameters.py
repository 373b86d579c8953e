"""Parameters in the address, and values that are refused."""

import pytest

from lib.clickhouse_errors import Code
from tests.local.clickhouse.conftest import Embedded, code_of


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ("session_timeout=%FF&session_id=x", Code.INVALID_SESSION_TIMEOUT),
        ("database=%FF", Code.UNKNOWN_DATABASE),
        ("user=%FF", Code.AUTHENTICATION_FAILED),
        ("nosuch=%FF", Code.UNKNOWN_SETTING),
        ("default_format=%FF", Code.UNKNOWN_FORMAT),
    ],
)
def test_a_parameter_that_is_not_utf_8_is_refused_like_any_other(
    server: Embedded, params: dict[str, str], code: int
) -> None:
    response = server.http.post(f"{server.url}?{params}", content="SELECT 1")
    assert code_of(response) == code


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("session_timeout", "9" * 5000, Code.INVALID_SESSION_TIMEOUT),
        ("client_protocol_version", "9" * 5000, Code.BAD_ARGUMENTS),
        ("query_id", "a\r\nX-Evil: 1", Code.BAD_ARGUMENTS),
        ("query_id", "a\n", Code.BAD_ARGUMENTS),
        ("query_id", "\0", Code.BAD_ARGUMENTS),
    ],
)
def test_a_parameter_of_an_impossible_value_is_refused(
    server: Embedded, name: str, text: str, code: int
) -> None:
    response = server.post("SELECT 1", **{name: text})
    assert code_of(response) == code
    assert "x-evil" not in response.headers
    assert response.text.startswith(f"Code: {code}. DB::Exception: ")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"nosuch": "1"}, Code.UNKNOWN_SETTING),
        ({"database": "nosuch"}, Code.UNKNOWN_DATABASE),
        ({"session_id": "none", "session_check": "1"}, Code.SESSION_NOT_FOUND),
        ({"session_id": "none", "session_timeout": "x"}, Code.INVALID_SESSION_TIMEOUT),
        ({"max_execution_time": "0.2"}, Code.TIMEOUT_EXCEEDED),
    ],
)
def test_refused_parameters(server: Embedded, params: dict[str, str], code: int) -> None:
    response = server.post("SELECT count() FROM numbers(100000000000)", **params)
    assert code_of(response) == code
