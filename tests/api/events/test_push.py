"""Clients of events: room, refusals, edits, and what is left after they disconnect."""

import json
import socket
from collections.abc import Callable
from http.client import HTTPResponse

from clickhouse_connect.driver.client import Client

from api.events.rows import MAX_WAITING
from tests.api.listening import EVENTS, events, fresh, listening, offsets
from tests.api.support import Api, insert
from tests.conftest import wait_until


def test_an_invalid_event_id_is_refused(api: Api) -> None:
    headers = {**EVENTS, "last-event-id": "5f0c"}
    answer = api.get("/api/stream", headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "Last-Event-ID is '5f0c'; it takes the id of an event of this stream; without one the "
        "stream begins now.",
    )


def test_a_wrong_parameter_is_an_error_for_events_too(api: Api) -> None:
    for path in ("/api/latest?symbols=;", "/api/stream?symbols=;", "/api/stream?x=1"):
        assert api.get(path, headers=EVENTS).status_code == 400
    assert api.client.head("/api/stream").status_code == 200


def test_a_follower_beyond_the_limit_is_503(make_api: Callable[..., Api], tables: Client) -> None:
    api = make_api(api__max_followers=1)
    api.start()
    with listening(api, "/api/stream") as stream:
        next(stream)
        full = api.get("/api/latest", headers=EVENTS)
        assert (full.status_code, full.headers["retry-after"]) == (503, "10")
        assert "millrace_api_followers 1.0" in api.get("/metrics").text


def test_an_edited_file_disconnects_its_clients_for_the_new_answer(
    make_api: Callable[..., Api], tables: Client
) -> None:
    api = make_api()
    followed, streamed = api.sql / "followed.sql", api.sql / "stream.sql"
    followed.write_text("-- One row.\nSELECT 1 AS version")
    api.start("--reload")
    with listening(api, "/api/followed") as old, listening(api, "/api/stream") as stream:
        assert json.loads(next(old)["data"])["data"] == [{"version": 1}]
        identity = next(stream)["id"]
        followed.write_text("-- One row.\nSELECT 2 AS version")
        streamed.write_text(streamed.read_text().replace("volume,", "volume * 2 AS doubled,"))
        assert [*old] == [*stream] == []
    new = fresh()
    insert(tables, [("A", 1.0, 7, 0, new)])
    with (
        listening(api, "/api/followed") as followed_again,
        listening(api, "/api/stream", **{"last-event-id": identity}) as stream,
    ):
        assert json.loads(next(followed_again)["data"])["data"] == [{"version": 2}]
        assert [row["doubled"] for row in json.loads(next(stream)["data"])] == ["14"]
        followed.unlink()
        assert [*followed_again] == []
    wait_until(lambda: api.get("/api/followed", headers=EVENTS).status_code == 404)


def test_hundreds_of_disconnected_clients_leave_nothing_behind(
    make_api: Callable[..., Api], tables: Client
) -> None:
    """No follower, no poll of ClickHouse, no memory for each."""
    api = make_api()
    api.start()
    insert(tables, [("A", 1.0, 1, 0, fresh())])

    def nobody_follows() -> bool:
        return "millrace_api_followers 0.0" in api.get("/metrics").text

    def come_and_go(count: int) -> None:
        for number in range(count):
            if number % 50 == 0:
                # Limits how many are connected at a time.
                wait_until(nobody_follows)
            path = ("/api/stream", "/api/latest", f"/api/latest?symbols=A{number}")[number % 3]
            with socket.create_connection(("127.0.0.1", api.port), timeout=90) as raw:
                lines = (f"GET {path} HTTP/1.1", "Host: localhost", "Accept: text/event-stream")
                raw.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
                if number % 2:
                    assert raw.recv(100).startswith(b"HTTP/1.1 200")
        wait_until(nobody_follows)

    come_and_go(100)
    before = api.memory()
    come_and_go(400)
    assert api.memory() - before < 8_000_000


def test_a_client_that_does_not_read_delays_no_other(api: Api, tables: Client) -> None:
    new, count, batch = fresh(), 60_000, MAX_WAITING
    symbols = [f"SYMBOL-{number}" for number in range(10)]
    with socket.socket() as raw, listening(api, "/api/stream") as quick:
        # Events beyond the socket buffers wait in the server.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        raw.settimeout(60)
        raw.connect(("127.0.0.1", api.port))
        raw.sendall(b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        slow = HTTPResponse(raw)
        slow.begin()
        next(quick)
        seen: list[int] = []
        while len(seen) < count:
            numbers = range(new + len(seen), new + len(seen) + batch)
            insert(tables, [(symbols[number % 10], 1.0, 1, 0, number) for number in numbers])
            while seen[-1:] != [numbers[-1]]:
                seen += offsets(next(quick))
        assert seen == [*range(new, new + count)]
        slow_seen: list[int] = []
        for event in events(line.decode().rstrip("\n") for line in slow):
            slow_seen += offsets(event)
            if slow_seen[-1:] == [seen[-1]]:
                break
    # It misses nothing until it falls behind; then it gets the newest row of each symbol.
    assert event["event"] == "newest"
    assert sorted(row["symbol"] for row in json.loads(event["data"])) == symbols
    before, newest = slow_seen[:-10], slow_seen[-10:]
    assert sorted(newest) == seen[-10:]
    assert before == seen[: len(before)]


def test_stopping_ends_every_stream(make_api: Callable[..., Api], tables: Client) -> None:
    api = make_api()
    api.start()
    with listening(api, "/api/stream") as stream, listening(api, "/api/latest") as latest:
        next(stream), next(latest)
        assert api.stop() == 0
    # A stream that does not end by itself would be logged here.
    assert api.log_text().count("\n") == 1, api.log_text()
