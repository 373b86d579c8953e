"""Parameters in the address, and values that are refused."""

import pytest


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ("session_timeout=%FF&session_id=x", "374"),
        ("database=%FF", "81"),
        ("user=%FF", "516"),
        ("nosuch=%FF", "115"),
        ("default_format=%FF", "73"),
    ],
)
def test_a_parameter_that_is_no_text_is_refused_as_one(server, params, code):
    response = server.http.post(f"{server.url}?{params}", content="SELECT 1")
    assert response.headers["x-clickhouse-exception-code"] == code


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("session_timeout", "9" * 5000, "374"),
        ("client_protocol_version", "9" * 5000, "36"),
        ("query_id", "a\r\nX-Evil: 1", "36"),
        ("query_id", "a\n", "36"),
        ("query_id", "\0", "36"),
    ],
)
def test_a_parameter_that_can_be_none_is_refused(server, name, text, code):
    response = server.post("SELECT 1", **{name: text})
    assert response.headers["x-clickhouse-exception-code"] == code
    assert "x-evil" not in response.headers
    assert response.text.startswith(f"Code: {code}. DB::Exception: ")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"nosuch": "1"}, 115),
        ({"database": "nosuch"}, 81),
        ({"session_id": "none", "session_check": "1"}, 372),
        ({"session_id": "none", "session_timeout": "x"}, 374),
        ({"max_execution_time": "0.2"}, 159),
    ],
)
def test_refused_parameters(server, params, code):
    response = server.post("SELECT count() FROM numbers(100000000000)", **params)
    assert response.headers["x-clickhouse-exception-code"] == str(code)
