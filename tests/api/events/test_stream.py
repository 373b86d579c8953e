"""The stream of new rows: complete, without repeats, polled once for all."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from api.events import event_ids, stream
from api.events.rows import RowBatch, merge
from api.events.sse import Mailbox
from api.query import registry
from api.query.clickhouse import ClickHouseClient
from lib import conf
from tests.api.keyed import ME, OTHER, SOME
from tests.api.listening import events_for, fresh, listening, offsets, symbols_and_offsets
from tests.api.support import Api, insert, migrated
from tests.conftest import ROOT, Server, wait_until


def test_new_ticks_are_sent_and_filtered(api: Api, tables: Client) -> None:
    new = fresh()
    with listening(api, "/api/stream") as all_of_it, listening(api, "/api/stream?symbols=B,C") as b:
        assert [*next(all_of_it)] == [*next(b)] == ["id"]
        insert(tables, [("A", 1.0, 1, 0, new), ("B", 1.0, 1, 0, new + 1)])
        assert offsets(next(all_of_it)) == [new, new + 1]
        assert offsets(next(b)) == [new + 1]


def test_resuming_leaves_no_gap_and_no_repeat(api: Api, server: Server, tables: Client) -> None:
    client, new = migrated(server), fresh()

    def arrive() -> None:
        for n in range(new, new + 1200, 3):
            # Timestamps in any order; some rows are stored twice.
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
    # A repeated row would come before this one.
    insert(client, [("A", 1.0, 1, 0, new + 1200)])
    client.close()
    with listening(api, "/api/stream", **{"last-event-id": identity}) as stream:
        while seen[-1] != new + 1200:
            seen += offsets(next(stream))
    assert seen == [*range(new, new + 1201)]


def test_the_position_in_a_thousand_partitions_fits_in_a_header(
    make_api: Callable[..., Api], tables: Client
) -> None:
    """The id is an event of its own for each client with rows; resuming repeats none."""
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
        assert 4000 < len(place["id"]) <= event_ids.MAX_LENGTH
        arrive(3)
        with listening(api, "/api/wide?symbols=A", **{"last-event-id": place["id"]}) as a:
            replayed: list[int] = []
            while len(replayed) < 1000:
                replayed += volumes(next(a))
        assert replayed == [3] * 1000
    finally:
        tables.command("DROP TABLE stocks.wide")


def test_a_stream_survives_a_restart_of_clickhouse(tmp_path: Any, mortal: Server) -> None:
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
async def poller_of(server: Server) -> AsyncIterator[stream.StreamPoller]:
    """The poller of sql/api/stream.sql, in this process."""
    client = ClickHouseClient(server.settings, 90)
    endpoints = await registry.load(ROOT / "sql" / "api", conf.load().variables(), client)
    poller = stream.StreamPoller(client, endpoints["stream"])
    try:
        yield poller
    finally:
        poller.close()
        await client.close()


@pytest.mark.parametrize("idle", [0, 600])
def test_a_listener_gets_every_row_however_long_a_poll_takes(
    server: Server, tables: Client, monkeypatch: pytest.MonkeyPatch, idle: float
) -> None:
    # Every poll takes longer than 0 s.
    monkeypatch.setattr(stream, "IDLE_SECONDS", idle)
    new = fresh()

    async def heard() -> list[RowBatch]:
        mailbox, batches = Mailbox(merge), []
        async with poller_of(server) as poller:
            await poller.start()
            with poller.subscribed(mailbox):
                for offset in (new, new + 1):
                    insert(tables, [("A", 1.0, 1, 0, offset)])
                    batches += await mailbox.take(90)
        return batches

    assert [key for rows in asyncio.run(heard()) for key, _ in rows.lines] == ["A", "A"]


def test_a_started_stream_is_polled(server: Server, tables: Client) -> None:
    """Even one that was about to stop because it had no subscriber."""

    async def is_polled() -> bool:
        async with poller_of(server) as poller:
            await poller.start()
            poller._last_used -= stream.IDLE_SECONDS - 1
            await poller.start()
            await asyncio.sleep(2)
            return poller._task is not None and not poller._task.done()

    assert asyncio.run(is_polled())


def test_a_stream_respects_the_restrictions_of_a_key_even_when_resumed(
    keyed: Api, tables: Client
) -> None:
    new = fresh()
    streams = [events_for(keyed, "stream", key) for key in (SOME, OTHER, ME)]
    seen = [next(stream)["id"] for stream in streams]
    insert(tables, [(symbol, 1.0, 1, 0, new + n) for n, symbol in enumerate("ABCA")])
    some, other, everything = [("A", new), ("B", new + 1), ("A", new + 3)], [("C", new + 2)], 4
    sent = [symbols_and_offsets(next(stream)) for stream in streams]
    assert (sent[0], sent[1], len(sent[2])) == (some, other, everything)
    for identity in seen:
        # The id of another key is only a position; it lifts no restriction.
        assert symbols_and_offsets(next(events_for(keyed, "stream", SOME, identity))) == some
        assert symbols_and_offsets(next(events_for(keyed, "stream?symbols=B", SOME, identity))) == [
            ("B", new + 1)
        ]
