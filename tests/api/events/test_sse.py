"""Server-sent events: pings."""

import asyncio
from contextlib import nullcontext

import pytest

from api.events import sse
from api.events.rows import EventWriter, RowBatch, merge
from api.events.sse import Mailbox


def test_a_client_is_pinged_while_all_rows_are_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sse, "PING_SECONDS", 0.2)
    mailbox = Mailbox(merge)

    async def pinged() -> bytes:
        body = sse.body(mailbox, EventWriter(frozenset({"B"})).write, nullcontext(), lambda: False)
        await anext(body)
        arriving = asyncio.create_task(arrive())
        try:
            async with asyncio.timeout(90):
                return await anext(body)
        finally:
            arriving.cancel()

    async def arrive() -> None:
        while True:
            mailbox.put(RowBatch([("A", b"{}")], "1"))
            await asyncio.sleep(0.01)

    assert asyncio.run(pinged()) == b": ping\n\n"
