"""The protocol: errors, caching, limits, keys, metrics, the description."""

import http.client
import json
import re
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from http.client import HTTPResponse

import httpx
import pytest
from clickhouse_connect.driver.client import Client

from tests.api.support import Api, insert
from tests.conftest import wait_until

TOP_MOVERS = """-- One row per symbol, the most traded first.
-- @param min_count = 1 [0..]: How many ticks at least.
SELECT symbol, count() AS ticks
FROM stocks.ticks
GROUP BY symbol
HAVING ticks >= {min_count:UInt32}
ORDER BY ticks DESC
"""
ATTACKS = [
    "' OR 1=1 --", "A') UNION ALL SELECT * FROM system.users --", "{symbols:Array(String)}",
    "A\\', 'B", "\\N", "A\x00", "'", '"', "`", ";", "1; DROP TABLE stocks.ticks", "${HOME}", "\\",
    "9" * 400, "-1", "NaN", "1e999", "[1,2]", "['A']", "()", "\u202e", "%00", "A\r\nX: y", "0x10",
    "2024-01-30T00:00:00Z'", "now()", "9999-12-31T23:59:59Z", "1 OR 1", "\ud83d\ude00",
]  # fmt: skip


def test_a_new_file_is_an_endpoint_with_its_description(
    make_api: Callable[..., Api], tables: Client
) -> None:
    api = make_api()
    (api.sql / "top_movers.sql").write_text(TOP_MOVERS)
    api.start()
    insert(tables, [("A", 1.0, 1, 0, 0), ("B", 1.0, 1, 0, 1), ("B", 1.0, 1, 1, 2)])
    assert api.rows("/api/top_movers", min_count=2) == [{"symbol": "B", "ticks": "2"}]
    refused = api.get("/api/top_movers?min_count=-1")
    assert refused.json() == {
        "type": "about:blank", "title": "Bad Request", "status": 400,
        "detail": "min_count is '-1'; it takes a whole number from 0 to 4294967295, at least 0.",
        "parameter": "min_count", "takes": "a whole number from 0 to 4294967295, at least 0",
    }  # fmt: skip
    paths = api.get("/openapi.json").json()["paths"]
    assert paths["/api/top_movers"]["get"]["parameters"][0] == {
        "name": "min_count", "in": "query", "required": False,
        "description": "How many ticks at least.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 4294967295, "default": 1},
    }  # fmt: skip


def test_an_edited_file_is_live_and_a_broken_one_keeps_its_old_version(
    make_api: Callable[..., Api], tables: Client
) -> None:
    api = make_api()
    api.start("--reload")
    file = api.sql / "top_movers.sql"
    file.write_text(TOP_MOVERS)
    wait_until(lambda: api.get("/api/top_movers").status_code == 200)
    file.write_text(TOP_MOVERS.replace("symbol,", "symbl,"))
    wait_until(lambda: "top_movers.sql:3: ClickHouse refuses it" in api.said())
    assert api.get("/api/top_movers").status_code == 200
    file.unlink()
    wait_until(lambda: api.get("/api/top_movers").status_code == 404)


def test_an_unknown_endpoint_lists_those_there_are(api: Api) -> None:
    for path in ("/api/latst", "/api", "/api/latest/x"):
        answer = api.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert "/api/latest" in answer.json()["endpoints"]


def test_other_methods_are_refused(api: Api) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
        answer = api.client.request(method, "/api/latest")
        assert answer.status_code == 405, method
        assert "GET" in answer.headers["allow"]
        assert answer.json()["status"] == 405
    assert api.client.head("/api/latest").status_code == 200
    assert api.client.post("/api/latest", content=b"x" * 2_000_000).status_code == 413


def test_a_wrong_parameter_is_named_with_what_it_takes(api: Api) -> None:
    wrong = {
        "recent?limit=0": "limit", "recent?limit=x": "limit", "recent?limit=100001": "limit",
        "recent?from=yesterday": "from", "recent?limit=1&limit=2": "limit",
        "recent?cursor=x": "cursor", "recent?symbol=A": "symbol", "history": "symbols",
        "candles?symbols=A&interval=2m": "interval", "latest?format=xml": "format",
        f"latest?symbols={','.join(['A'] * 101)}": "symbols", "latest?symbols=A,,B": "symbols",
        "latest?symbols=": "symbols",
    }  # fmt: skip
    for path, name in wrong.items():
        answer = api.get(f"/api/{path}")
        assert (answer.status_code, answer.json().get("parameter")) == (400, name), path
        assert answer.json()["takes"]
    assert (
        "interval is '2m'; it takes one of 1s,"
        in api.get("/api/candles?symbols=A&interval=2m").text
    )
    assert api.get("/api/latest?symbols=%ff").status_code == 400
    assert api.get("/api/latest", headers={"accept": "image/png"}).status_code == 406


def test_a_list_is_taken_repeated_and_comma_separated(api: Api, tables: Client) -> None:
    insert(tables, [(symbol, 1.0, 1, 0, n) for n, symbol in enumerate("ABC")])
    for query in ("symbols=A&symbols=C", "symbols=A,C"):
        rows = api.get(f"/api/latest?{query}").json()["data"]
        assert [row["symbol"] for row in rows] == ["A", "C"]


def test_injections_change_nothing_and_show_nothing(api: Api, tables: Client) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    document = api.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        parameters = methods["get"]["parameters"]
        needed = {p["name"]: "A" for p in parameters if p.get("required")}
        for parameter in parameters:
            for attack in ATTACKS:
                text = attack.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
                params = {**needed, parameter["name"]: text}
                with api.client.stream("GET", path, params=params) as answer:
                    assert answer.status_code in (200, 400), (path, params)
                    if not answer.headers["content-type"].startswith("text/event-stream"):
                        answer.read()
                        check_silent(answer.text, text)
    assert api.rows("/api/symbols")[0]["ticks"] == "1"


def check_silent(answer: str, attack: str) -> None:
    """Nothing of what is behind the API is shown, but for what was sent."""
    for secret in ("Exception", "SELECT ", "stocks.ticks", "Traceback"):
        assert secret in attack or secret not in answer, (attack, answer)


def test_an_answer_has_a_tag_and_an_unchanged_one_no_body(api: Api, tables: Client) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    first = api.get("/api/latest")
    assert first.headers["cache-control"] == "no-cache"
    tag = {"if-none-match": first.headers["etag"]}
    again = api.get("/api/latest", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    insert(tables, [("A", 2.0, 1, 1, 1)])
    assert api.get("/api/latest", headers=tag).status_code == 200


def test_equal_questions_at_one_time_are_asked_once(
    make_api: Callable[..., Api], tables: Client
) -> None:
    api = make_api()
    (api.sql / "slow.sql").write_text("-- One row, late.\nSELECT sleep(1) AS zero, rand() AS r")
    api.start()
    with api.at_once("/api/slow", 8) as answers:
        found = {answer.read() for answer in answers}
    assert len(found) == 1 and b"zero" in found.pop()


def test_security_headers_are_everywhere_and_other_origins_are_not_let_in(api: Api) -> None:
    for path in ("/api/latest", "/nothing", "/api/latest?x=1", "/health"):
        headers = api.get(path, headers={"origin": "http://evil.example"}).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "'unsafe-inline'" not in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers
    assert api.get("/api/latest", headers={"host": "evil.example"}).status_code == 403


def test_keys(make_api: Callable[..., Api]) -> None:
    api = make_api(api__keys="{me: {key: 0123456789abcdef}}")
    api.start()
    refused = api.get("/api/latest")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    for value in ("Bearer wrong", "0123456789abcdef", "Bearer 0123456789abcde", "Basic x"):
        assert api.get("/api/latest", headers={"authorization": value}).status_code == 401
    key = {"authorization": "Bearer 0123456789abcdef", "host": "elsewhere"}
    assert api.get("/api/latest", headers=key).status_code == 200
    assert api.get("/health").status_code != 401


def test_huge_requests_are_refused_and_memory_stays(api: Api, tables: Client) -> None:
    assert api.get("/api/latest").status_code == 200
    before = api.memory()
    assert api.get("/api/latest?symbols=" + "A" * 17_000).status_code == 414
    for _ in range(30):
        with socket.create_connection(("127.0.0.1", api.port), timeout=90) as raw:
            try:
                raw.sendall(b"GET /api/latest?symbols=" + b"A" * 1_000_000)
                raw.sendall(b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
                said = b"".join(iter(lambda: raw.recv(4096), b""))
                assert said == b"" or said.startswith(b"HTTP/1.1 431 "), said
            except (BrokenPipeError, ConnectionResetError):
                pass
    assert api.get("/api/latest").status_code == 200
    assert api.memory() - before < 20_000_000


def test_a_head_that_is_too_long_or_no_http_is_a_problem(api: Api) -> None:
    heads = {
        # Just too long: nothing of it may be on its way still when it is refused.
        431: (b"GET / HTTP/1.1\r\nX: " + b"A" * 33_000, "The head is too long; ask for less."),
        400: (b"GET /\0 HTTP/1.1\r\n\r\n", "This is no HTTP: illegal request line."),
    }
    for status, (head, detail) in heads.items():
        with socket.create_connection(("127.0.0.1", api.port), timeout=90) as raw:
            raw.sendall(head)
            answer = HTTPResponse(raw)
            answer.begin()
            assert (answer.status, json.load(answer)["detail"]) == (status, detail)
            assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_no_http_does_not_disturb_the_answer(api: Api) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=90) as raw:
        raw.sendall(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"
        )
        assert raw.recv(20).startswith(b"HTTP/1.1 413 ")
    assert "Traceback" not in api.said()


@pytest.fixture
def impatient(make_api: Callable[..., Api], tables: Client) -> Api:
    """An API that waits two seconds for a head."""
    api = make_api(api__head_timeout=2)
    api.start()
    return api


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("head", [b"", b"G", b"GET /health HTTP/1.1\r\nHost: localho"])
def test_half_a_head_is_waited_for_only_so_long(impatient: Api, before: int, head: bytes) -> None:
    """Also where it trickles, and after a request that was answered."""
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=90) as raw:
        for _ in range(before):
            raw.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = HTTPResponse(raw)
            answer.begin()
            assert (answer.status, answer.read() != b"") == (404, True)
            begun, head = time.monotonic(), head or b"G"
        raw.sendall(head)
        raw.settimeout(0.1)
        said = None
        while said is None:
            try:
                said = raw.recv(4096)
            except TimeoutError:
                with suppress(ConnectionError):
                    raw.sendall(b"x" if head else b"")
            except ConnectionError:
                said = b""
    assert said == b""
    # A connection that is idle after an answer is kept for 30 s: that is not what has ended it.
    assert 1.9 < time.monotonic() - begun < 25


def test_who_has_sent_a_head_has_time(impatient: Api) -> None:
    slow = impatient.sql / "slow.sql"
    slow.write_text("-- One row, late.\nSELECT sleep(2.5) AS zero")
    impatient.stop()
    impatient.client = httpx.Client(base_url=f"http://127.0.0.1:{impatient.port}", timeout=90)
    impatient.start()
    assert impatient.get("/api/slow").status_code == 200
    connection = http.client.HTTPConnection("127.0.0.1", impatient.port, timeout=90)
    with closing(connection):
        # An idle connection is kept; then an answer that lasts begins on it.
        for path, size in (("/nothing", None), ("/api/stream", 5)):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert (answer.status in (200, 404), answer.read(size) != b"") == (True, True)
            time.sleep(2.5)
        assert "millrace_api_followers 1.0" in impatient.get("/metrics").text


def test_one_connection_too_many_is_told_when_to_come_back(make_api: Callable[..., Api]) -> None:
    api = make_api(api__max_connections=3)
    api.start()
    address = f"http://127.0.0.1:{api.port}/nothing"
    with ExitStack() as held:
        # With that of the client there are three.
        for _ in range(2):
            held.enter_context(socket.create_connection(("127.0.0.1", api.port)))
        wait_until(lambda: httpx.get(address, timeout=90).status_code == 503)
        answer = httpx.get(address, timeout=90)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == "3 connections are served already; try again later."
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert api.get("/nothing").status_code == 404, "who is served goes on being served"
    wait_until(lambda: httpx.get(address, timeout=90).status_code == 404)


def test_clients_that_stall_or_vanish_leave_it_answering(api: Api, tables: Client) -> None:
    stalled = [socket.create_connection(("127.0.0.1", api.port)) for _ in range(100)]
    for raw in stalled[:50]:
        raw.sendall(b"GET /api/latest HTTP/1.1\r\nHost: loc")
    for raw in stalled[50:]:
        raw.sendall(b"GET /api/latest HTTP/1.1\r\nHost: localhost\r\n\r\n")
        raw.close()
    assert api.get("/api/latest").status_code == 200
    for raw in stalled[:50]:
        raw.close()


def test_garbage_is_answered_or_closed(api: Api) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00", b"\r\n\r\n\0\0",
                    b"GET /api/\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
                    b"GET http://[::1/api HTTP/1.1\r\nHost: localhost\r\n\r\n"):  # fmt: skip
        with socket.create_connection(("127.0.0.1", api.port), timeout=90) as raw:
            raw.sendall(garbage)
            raw.shutdown(socket.SHUT_WR)
            answer = raw.recv(100)
            assert answer == b"" or answer[9:12] in (b"400", b"404", b"505"), garbage
    assert api.get("/api/latest").status_code == 200


@pytest.mark.parametrize(
    ("version", "status"), [(b"1.0", b"200"), (b"1.2", b"200"), (b"2.0", b"505"), (b"9.9", b"505")]
)
def test_another_major_version_of_http_is_refused(
    api: Api, tables: Client, version: bytes, status: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=90) as raw:
        raw.sendall(b"GET /api/latest HTTP/%b\r\nHost: localhost\r\n\r\n" % version)
        assert raw.recv(100).startswith(b"HTTP/1.1 %b " % status)


def test_what_is_followed_counts_only_until_its_answer_begins(
    make_api: Callable[..., Api], tables: Client
) -> None:
    api = make_api()
    api.start()

    def numbers(name: str) -> tuple[float, float]:
        text = api.get("/metrics").text
        found = [
            re.search(
                rf'^millrace_api_request_seconds_{part}{{endpoint="{name}"}} (.+)$', text, re.M
            )
            for part in ("count", "sum")
        ]
        count, seconds = (float(match[1]) if match else 0.0 for match in found)
        return count, seconds

    for name in ("stream", "latest"):
        headers = {"accept": "text/event-stream"}
        with api.client.stream("GET", f"/api/{name}", headers=headers) as answer:
            pieces = answer.iter_raw()
            assert next(pieces)
            begun = numbers(name)
            assert begun[0] == 1
            assert "millrace_api_followers 1.0" in api.get("/metrics").text
        wait_until(lambda: "millrace_api_followers 0.0" in api.get("/metrics").text)
        assert numbers(name) == begun
        assert f'requests_total{{endpoint="{name}",status="200"}} 1.0' in api.get("/metrics").text


def test_metrics(api: Api, tables: Client) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    api.get("/api/latest")
    api.get("/api/made_up_name")
    text = api.metrics()
    assert 'millrace_api_requests_total{endpoint="latest",status="200"}' in text
    assert 'endpoint="other",status="404"' in text
    assert "made_up_name" not in text
    assert 'millrace_part_age_seconds{part="ticks"}' in text
    assert "millrace_clickhouse_up 1.0" in text
