"""Users and how a request names one."""

import pytest


@pytest.mark.parametrize(
    "options",
    [
        {"auth": ("reader", "")},
        {"params": {"user": "reader"}},
        {"headers": {"X-ClickHouse-User": "reader", "X-ClickHouse-Key": ""}},
    ],
)
def test_ways_to_name_a_user(server, options):
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
def test_an_unknown_user_is_refused(server, options):
    response = server.http.post(server.url, content="SELECT 1", **options)
    assert (response.status_code, response.headers["x-clickhouse-exception-code"]) == (403, "516")


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT number FROM numbers(2000000)", 396),
        ("SELECT groupArray(number) FROM numbers(500000000)", 241),
    ],
)
def test_limits_hold(server, sql, code):
    response = server.post(sql, reader=True, wait_end_of_query="1")
    assert response.headers["x-clickhouse-exception-code"] == str(code)
