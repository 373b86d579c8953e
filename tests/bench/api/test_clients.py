"""Clients ask again as soon as they have an answer, and count what fails."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from bench.api import clients
from bench.api.compare import Request

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


async def ask(answers: Sequence[bytes], number: int) -> dict[str, Any]:
    """The figures of a server that gives these answers in turn over each connection."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = 0
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answers[asked % len(answers)])
            asked += 1
            await asyncio.sleep(0.01)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await clients.closed(Request(port, "GET", "/"), number, 0.3)
        # The server closes its side.
        await asyncio.sleep(0.1)
        return found


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "WARM_UP", 0.05)
    monkeypatch.setattr(clients, "GRACE", 0.3)
    monkeypatch.setattr(clients, "PAUSE", 0.01)


def test_each_client_has_one_request_at_a_time() -> None:
    found = asyncio.run(ask([PLAIN, CHUNKED], 3))
    assert 0 < found["rate"] <= 330 and found["failed"] == 0
    assert 0 < found["p50_ms"] <= found["p99_ms"]


def test_a_refused_request_is_counted_and_its_client_goes_on() -> None:
    found = asyncio.run(ask([PLAIN, BUSY], 2))
    assert found["rate"] > 0 and found["failed"] >= 2


def test_a_request_without_an_answer_has_failed() -> None:
    found = asyncio.run(ask([b""], 2))
    assert found == {"rate": 0.0, "p50_ms": None, "p99_ms": None, "failed": 2}


def test_the_rate_counts_answers_and_the_quantiles_what_was_asked_in_time() -> None:
    answers = [(9.9, 10.1), (10.1, 10.2), (10.2, 10.5), (11.9, 12.9)]
    found = clients.figures(answers, 10.0, 12.0)
    assert found == {"rate": 1.5, "p50_ms": 300.0, "p99_ms": 1000.0}
