"""Server-sent events: the stream of new ticks, and endpoints that are followed."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from http.client import HTTPResponse
from typing import Any

import httpx
import pytest
from clickhouse_connect.driver.client import Client

from api.events import event_ids, sse, stream
from api.events.rows import MOST_WAITING, Rows, Writer, fold
from api.events.sse import Mailbox
from api.query import registry
from api.query.clickhouse import Store
from lib import settings
from tests.api.support import Api, insert, migrated
from tests.conftest import ROOT, Server, wait_until

EVENTS = {"accept": "text/event-stream"}


@contextmanager
def listening(api: Api, path: str, **headers: str) -> Iterator[Iterator[dict[str, str]]]:
    """The events of an address, as field: value."""
    address = f"http://127.0.0.1:{api.port}{path}"
    with httpx.stream("GET", address, headers={**EVENTS, **headers}, timeout=90) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store, no-transform"
        yield events(answer.iter_lines())


def events(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    found: dict[str, str] = {}
    for line in lines:
        if not line:
            if found:
                yield found
            found = {}
        elif not line.startswith((":", "retry")):
            name, _, value = line.partition(": ")
            found[name] = value


def fresh() -> int:
    """An offset above those of other tests, as a stream that ran before knows where they ended."""
    return time.time_ns()


def offsets(event: dict[str, str]) -> list[int]:
    return [int(row["kafka_offset"]) for row in json.loads(event.get("data", "[]"))]


def test_new_ticks_are_sent_and_a_filter_holds(api: Api, tables: Client) -> None:
    new = fresh()
    with listening(api, "/api/stream") as all_of_it, listening(api, "/api/stream?symbols=B,C") as b:
        assert [*next(all_of_it)] == [*next(b)] == ["id"]
        insert(tables, [("A", 1.0, 1, 0, new), ("B", 1.0, 1, 0, new + 1)])
        assert offsets(next(all_of_it)) == [new, new + 1]
        assert offsets(next(b)) == [new + 1]


def test_coming_back_leaves_no_hole_and_no_repeat(api: Api, server: Server, tables: Client) -> None:
    client, new = migrated(server), fresh()

    def arrive() -> None:
        for n in range(new, new + 1200, 3):
            # Event time goes anywhere; some rows are stored twice.
            insert(client, [("A", 1.0, 1, -number % 7, number) for number in (n, n + 1, n + 2)])
            if n % 10 == 0:
                insert(client, [("A", 1.0, 1, -n % 7, n)])

    with listening(api, "/api/stream") as first:
        identity = next(first)["id"]
    thread = threading.Thread(target=arrive)
    thread.start()
    seen: list[int] = []
    while len(seen) < 1200:
        with listening(api, "/api/stream", **{"last-event-id": identity}) as stream:
            for _, event in zip(range(3), stream, strict=False):
                identity = event.get("id", identity)
                seen += offsets(event)
                if len(seen) >= 1200:
                    break
    thread.join()
    # What would come once more comes before this.
    insert(client, [("A", 1.0, 1, 0, new + 1200)])
    client.close()
    with listening(api, "/api/stream", **{"last-event-id": identity}) as stream:
        while seen[-1] != new + 1200:
            seen += offsets(next(stream))
    assert seen == [*range(new, new + 1201)]


def test_the_place_in_a_thousand_partitions_fits_in_a_header(
    make_api: Callable[..., Api], tables: Client
) -> None:
    """The id is an event of its own for each client that got rows; resuming repeats none."""
    api = make_api()
    wide = (api.sql / "stream.sql").read_text().replace("stocks.ticks", "stocks.wide")
    (api.sql / "wide.sql").write_text(wide)
    tables.command("CREATE TABLE stocks.wide AS stocks.ticks")
    api.start()

    def arrive(offset: int, symbol: str = "A", partitions: int = 1000) -> None:
        tables.command(
            "INSERT INTO stocks.wide (symbol, volume, kafka_partition, kafka_offset, inserted_by)"
            f" SELECT '{symbol}', {offset}, number, cityHash64(number) % 1000000000 + {offset},"
            f" 'stocks/ticks' FROM numbers({partitions})"
        )

    def volumes(event: dict[str, str]) -> list[int]:
        return [row["volume"] for row in json.loads(event["data"])]

    try:
        arrive(0)
        with (
            listening(api, "/api/wide?symbols=A") as a,
            listening(api, "/api/wide?symbols=B") as b,
        ):
            assert [*next(a)] == [*next(b)] == ["id"]
            arrive(1)
            rows, place = next(a), next(a)
            assert ([*rows], volumes(rows), [*place]) == (["data"], [1] * 1000, ["id"])
            arrive(2, "B", 1)
            assert volumes(next(b)) == [2]
        assert 4000 < len(place["id"]) <= event_ids.LONGEST
        arrive(3)
        with listening(api, "/api/wide?symbols=A", **{"last-event-id": place["id"]}) as a:
            found: list[int] = []
            while len(found) < 1000:
                found += volumes(next(a))
        assert found == [3] * 1000
    finally:
        tables.command("DROP TABLE stocks.wide")


def test_a_client_is_pinged_while_all_that_comes_is_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sse, "PING_SECONDS", 0.2)
    mailbox = Mailbox(fold)

    async def pinged() -> bytes:
        body = sse.sent(mailbox, Writer(frozenset({"B"})).write, nullcontext(), lambda: False)
        await anext(body)
        arriving = asyncio.create_task(arrive())
        try:
            async with asyncio.timeout(90):
                return await anext(body)
        finally:
            arriving.cancel()

    async def arrive() -> None:
        while True:
            mailbox.put(Rows([("A", b"{}")], "1"))
            await asyncio.sleep(0.01)

    assert asyncio.run(pinged()) == b": ping\n\n"


def test_an_id_that_is_none_is_refused(api: Api) -> None:
    headers = {**EVENTS, "last-event-id": "5f0c"}
    answer = api.get("/api/stream", headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "Last-Event-ID is '5f0c'; it takes the id of an event of this stream; without one the "
        "stream begins now.",
    )


def test_a_stream_survives_clickhouse(tmp_path: Any, mortal: Server) -> None:
    client = migrated(mortal)
    insert(client, [("A", 1.0, 1, 0, 0)])
    api = Api(tmp_path / "api", mortal.settings)
    try:
        api.start()
        with listening(api, "/api/stream") as stream:
            next(stream)
            mortal.kill()
            wait_until(lambda: api.get("/api/latest").status_code == 503)
            mortal.start()
            client.close()
            client = migrated(mortal)
            insert(client, [("A", 1.0, 1, 0, 1)])
            assert offsets(next(stream)) == [1]
    finally:
        client.close()
        api.stop()


@asynccontextmanager
async def hub_over(server: Server) -> AsyncIterator[stream.Hub]:
    """The hub of sql/api/stream.sql, in this process."""
    store = Store(server.settings, 90)
    endpoints = await registry.load(ROOT / "sql" / "api", settings.load().variables(), store)
    hub = stream.Hub(store, endpoints["stream"])
    try:
        yield hub
    finally:
        hub.close()
        await store.close()


@pytest.mark.parametrize("idle", [0, 600])
def test_who_listens_is_polled_for_however_long_a_poll_takes(
    server: Server, tables: Client, monkeypatch: pytest.MonkeyPatch, idle: float
) -> None:
    # Every poll takes longer than nothing.
    monkeypatch.setattr(stream, "IDLE_SECONDS", idle)
    new = fresh()

    async def heard() -> list[Rows]:
        mailbox, found = Mailbox(fold), []
        async with hub_over(server) as hub:
            await hub.start()
            with hub.joined(mailbox):
                for offset in (new, new + 1):
                    insert(tables, [("A", 1.0, 1, 0, offset)])
                    found += await mailbox.take(90)
        return found

    assert [key for rows in asyncio.run(heard()) for key, _ in rows.lines] == ["A", "A"]


def test_who_starts_a_stream_finds_it_running(server: Server, tables: Client) -> None:
    """Also one that was about to end, as nobody had listened for long enough."""

    async def is_polled() -> bool:
        async with hub_over(server) as hub:
            await hub.start()
            hub._heard -= stream.IDLE_SECONDS - 1
            await hub.start()
            await asyncio.sleep(2)
            return hub._task is not None and not hub._task.done()

    assert asyncio.run(is_polled())


def test_a_slow_client_gets_the_newest_of_each_key() -> None:
    waiting: list[Rows] = []
    for number in range(MOST_WAITING):
        pair = [("A", b"a%d" % number), ("B", b"b%d" % number)]
        waiting = fold(waiting, Rows(pair, str(number)))
    assert sum(len(rows.lines) for rows in waiting) <= MOST_WAITING
    newest = fold([], Rows([("A", b"1")] * (MOST_WAITING + 1), "9"))
    assert newest[0].event(frozenset()) == b"event: newest\nid: 9\ndata: [1]\n\n"
    assert newest[0].event(frozenset({"B"})) == b""
    # Of ids that come apart from the rows the last one holds.
    apart = [Rows([], "7"), Rows([], "8"), Rows([("A", b"1")] * MOST_WAITING, "")]
    assert fold(apart, Rows([("A", b"2")], ""))[0].event(frozenset()) == (
        b"event: newest\nid: 8\ndata: [2]\n\n"
    )


def test_a_client_that_does_not_read_holds_up_nobody(api: Api, tables: Client) -> None:
    new, count, batch = fresh(), 60_000, MOST_WAITING
    symbols = [f"SYMBOL-{number}" for number in range(10)]
    with socket.socket() as raw, listening(api, "/api/stream") as quick:
        # What the buffers on the way cannot hold waits at the server.
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
    # Until it fell behind it missed nothing; then it got the newest of each symbol.
    assert event["event"] == "newest"
    assert sorted(row["symbol"] for row in json.loads(event["data"])) == symbols
    before, newest = slow_seen[:-10], slow_seen[-10:]
    assert sorted(newest) == seen[-10:]
    assert before == seen[: len(before)]


def test_an_endpoint_is_sent_again_when_it_changes(api: Api, tables: Client) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    with listening(api, "/api/latest?symbols=A") as stream:
        first = next(stream)
        assert json.loads(first["data"]) == api.get("/api/latest?symbols=A").json()
        insert(tables, [("B", 1.0, 1, 1, 1)])
        insert(tables, [("A", 2.0, 1, 1, 2)])
        # An answer comes again after a problem, too, which a busy machine may have.
        second = next(event for event in stream if '"price":2,' in event["data"])
        assert json.loads(second["data"])["data"][0]["price"] == 2
    with listening(api, "/api/latest?symbols=A", **{"last-event-id": second["id"]}) as stream:
        insert(tables, [("A", 3.0, 1, 2, 3)])
        assert json.loads(next(stream)["data"])["data"][0]["price"] == 3


def test_a_wrong_parameter_is_an_error_also_for_events(api: Api) -> None:
    for path in ("/api/latest?symbols=;", "/api/stream?symbols=;", "/api/stream?x=1"):
        assert api.get(path, headers=EVENTS).status_code == 400
    assert api.client.head("/api/stream").status_code == 200


def test_there_is_room_for_so_many(make_api: Callable[..., Api], tables: Client) -> None:
    api = make_api(api__max_followers=1)
    api.start()
    with listening(api, "/api/stream") as stream:
        next(stream)
        full = api.get("/api/latest", headers=EVENTS)
        assert (full.status_code, full.headers["retry-after"]) == (503, "10")
        assert "millrace_api_followers 1.0" in api.get("/metrics").text


def test_an_edited_file_sends_its_clients_back_for_the_new_answer(
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
        listening(api, "/api/followed") as found,
        listening(api, "/api/stream", **{"last-event-id": identity}) as stream,
    ):
        assert json.loads(next(found)["data"])["data"] == [{"version": 2}]
        assert [row["doubled"] for row in json.loads(next(stream)["data"])] == ["14"]
        followed.unlink()
        assert [*found] == []
    wait_until(lambda: api.get("/api/followed", headers=EVENTS).status_code == 404)


def test_hundreds_of_clients_that_leave_leave_nothing(
    make_api: Callable[..., Api], tables: Client
) -> None:
    """Not a follower, not a poll of ClickHouse, not a byte for each."""
    api = make_api()
    api.start()
    insert(tables, [("A", 1.0, 1, 0, fresh())])

    def nobody_follows() -> bool:
        return "millrace_api_followers 0.0" in api.get("/metrics").text

    def come_and_go(count: int) -> None:
        for number in range(count):
            if number % 50 == 0:
                # So that as many are there at a time however fast they come.
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


def test_stopping_ends_every_stream(make_api: Callable[..., Api], tables: Client) -> None:
    api = make_api()
    api.start()
    with listening(api, "/api/stream") as stream, listening(api, "/api/latest") as latest:
        next(stream), next(latest)
        assert api.stop() == 0
    # Had they not ended by themselves, it would tell here that it broke them off.
    assert api.said().count("\n") == 1, api.said()
