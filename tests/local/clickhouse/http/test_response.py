"""The headers of an answer, and an error in its middle."""

import json

import httpx
import pytest

from tests.local.clickhouse.conftest import Embedded


def test_headers_of_an_answer(server: Embedded) -> None:
    response = server.post("SELECT number FROM numbers(5) FORMAT JSONEachRow", query_id="mine")
    assert response.headers["content-type"] == "application/x-ndjson; charset=UTF-8"
    assert response.headers["x-clickhouse-query-id"] == "mine"
    assert response.headers["x-clickhouse-format"] == "JSONEachRow"
    assert response.headers["x-clickhouse-timezone"] == "UTC"
    assert response.headers["x-clickhouse-server-display-name"]
    summary = json.loads(response.headers["x-clickhouse-summary"])
    assert (summary["read_rows"], summary["result_rows"]) == ("5", "5")


def test_an_error_in_the_middle_leaves_the_answer_incomplete(server: Embedded) -> None:
    sql = "SELECT throwIf(number = 4000000) FROM numbers(9000000)"
    seen = b""
    with (
        pytest.raises(httpx.RemoteProtocolError),
        server.http.stream("POST", server.url, content=sql) as r,
    ):
        for piece in r.iter_bytes():
            seen = (seen + piece)[-1000:]
    tag = r.headers["x-clickhouse-exception-tag"]
    assert r.status_code == 200
    assert f"\r\n__exception__\r\n{tag}\r\nCode: 395. ".encode() in seen
    assert seen.endswith(f" {tag}\r\n__exception__\r\n".encode())
