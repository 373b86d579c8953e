"""The server: limits, timeouts, malformed requests."""

import http.client
import json
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from http.client import HTTPResponse

import httpx
import pytest
from clickhouse_connect.driver.client import Client

from tests.api.support import Api
from tests.conftest import wait_until


def test_huge_requests_are_refused_in_constant_memory(api: Api, tables: Client) -> None:
    assert api.get("/api/latest").status_code == 200
    before = api.memory()
    assert api.get("/api/latest?symbols=" + "A" * 17_000).status_code == 414
    for _ in range(30):
        with socket.create_connection(("127.0.0.1", api.port), timeout=90) as raw:
            try:
                raw.sendall(b"GET /api/latest?symbols=" + b"A" * 1_000_000)
                raw.sendall(b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = b"".join(iter(lambda: raw.recv(4096), b""))
                assert answer == b"" or answer.startswith(b"HTTP/1.1 431 "), answer
            except (BrokenPipeError, ConnectionResetError):
                pass
    assert api.get("/api/latest").status_code == 200
    assert api.memory() - before < 20_000_000


def test_a_head_that_is_too_long_or_malformed_is_a_problem(api: Api) -> None:
    heads = {
        # Only just too long, so that all of it has arrived when it is refused.
        431: (b"GET / HTTP/1.1\r\nX: " + b"A" * 33_000, "The head is too long; ask for less."),
        400: (b"GET /\0 HTTP/1.1\r\n\r\n", "This is not HTTP: illegal request line."),
    }
    for status, (head, detail) in heads.items():
        with socket.create_connection(("127.0.0.1", api.port), timeout=90) as raw:
            raw.sendall(head)
            answer = HTTPResponse(raw)
            answer.begin()
            assert (answer.status, json.load(answer)["detail"]) == (status, detail)
            assert answer.headers["content-type"] == "application/problem+json"


def test_a_malformed_body_does_not_disturb_the_answer(api: Api) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=90) as raw:
        raw.sendall(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"
        )
        assert raw.recv(20).startswith(b"HTTP/1.1 413 ")
    assert "Traceback" not in api.log_text()


@pytest.fixture
def impatient(make_api: Callable[..., Api], tables: Client) -> Api:
    """An API that waits two seconds for a head."""
    api = make_api(api__head_timeout=2)
    api.start()
    return api


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("head", [b"", b"G", b"GET /health HTTP/1.1\r\nHost: localho"])
def test_an_incomplete_head_times_out(impatient: Api, before: int, head: bytes) -> None:
    """A head that arrives byte by byte too, and one after a request that was answered."""
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
        received = None
        while received is None:
            try:
                received = raw.recv(4096)
            except TimeoutError:
                with suppress(ConnectionError):
                    raw.sendall(b"x" if head else b"")
            except ConnectionError:
                received = b""
    assert received == b""
    # Less than 30 s, after which an idle connection is closed.
    assert 1.9 < time.monotonic() - begun < 25


def test_a_complete_head_does_not_time_out(impatient: Api) -> None:
    slow = impatient.sql / "slow.sql"
    slow.write_text("-- One row, late.\nSELECT sleep(2.5) AS zero")
    impatient.stop()
    impatient.client = httpx.Client(base_url=f"http://127.0.0.1:{impatient.port}", timeout=90)
    impatient.start()
    assert impatient.get("/api/slow").status_code == 200
    connection = http.client.HTTPConnection("127.0.0.1", impatient.port, timeout=90)
    with closing(connection):
        # An idle connection is kept; then a long response begins on it.
        for path, size in (("/nothing", None), ("/api/stream", 5)):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert (answer.status in (200, 404), answer.read(size) != b"") == (True, True)
            time.sleep(2.5)
        assert "millrace_api_followers 1.0" in impatient.get("/metrics").text


def test_a_connection_beyond_the_limit_is_503_with_retry_after(
    make_api: Callable[..., Api],
) -> None:
    api = make_api(api__max_connections=3)
    api.start()
    address = f"http://127.0.0.1:{api.port}/nothing"
    with ExitStack() as held:
        # With the connection of the client there are three.
        for _ in range(2):
            held.enter_context(socket.create_connection(("127.0.0.1", api.port)))
        wait_until(lambda: httpx.get(address, timeout=90).status_code == 503)
        answer = httpx.get(address, timeout=90)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == "3 connections are served already; try again later."
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert api.get("/nothing").status_code == 404, "a served connection is not refused"
    wait_until(lambda: httpx.get(address, timeout=90).status_code == 404)


def test_stalled_and_vanished_clients_do_not_block_others(api: Api, tables: Client) -> None:
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
