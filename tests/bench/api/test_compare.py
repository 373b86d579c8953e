"""What is asked of the API and of ClickHouse, and what comes of the durations."""

from bench.api import compare
from bench.api.compare import Request


def test_the_api_adds_the_median_of_the_differences_of_pairs() -> None:
    pairs = [(1.0, 2.0), (5.0, 5.5), (2.0, 9.0)]
    assert compare.figures(pairs) == {
        "pairs": 3,
        "api_ms": 5.5,
        "clickhouse_ms": 2.0,
        "added_ms": 1.0,
    }


def test_a_comparison_is_shown_in_one_line() -> None:
    found = {"address": "latest", **compare.figures([(2.0, 3.0)])}
    assert compare.shown(found) == (
        "/api/latest: 3.0 ms at the median of 1, ClickHouse alone 2.0 ms (ratio 1.50, the API adds "
        "1.0 ms)"
    )


def test_a_request_has_the_length_of_its_body() -> None:
    request = Request(1, "POST", "/?a=1", b"SELECT 1", (("X-ClickHouse-User", "reader"),))
    assert request.message() == (
        b"POST /?a=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n"
        b"X-ClickHouse-User: reader\r\n\r\nSELECT 1"
    )
