"""Server-sent events: their text, pings, and a mailbox for a client that falls behind."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from api.problems import ProblemError
from api.query.formats import EVENT_STREAM

T = TypeVar("T")
J = TypeVar("J")

MEDIA_TYPE = EVENT_STREAM
HEADERS = {
    # A proxy that compresses would hold events back until it has enough of them.
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "Vary": "Accept",
}
PING_SECONDS = 15.0
_TICK_SECONDS = 0.5
_RETRY = b"retry: 2000\n\n"


def event(data: bytes, *, name: str = "", identity: str = "") -> bytes:
    """One event; newlines in JSON have no meaning, so the data is one line."""
    head = (f"event: {name}\n" if name else "") + (f"id: {identity}\n" if identity else "")
    return head.encode() + b"data: " + data.replace(b"\n", b"") + b"\n\n"


def problem_event(problem: ProblemError) -> bytes:
    """A problem as an event, for a client that stays connected."""
    return event(problem.body(), name="problem")


class Mailbox(Generic[T]):
    """The items that wait for one client; `merge` adds a new one to those."""

    def __init__(self, merge: Callable[[list[T], T], list[T]]) -> None:
        self._merge = merge
        self._waiting: list[T] = []
        self._filled = asyncio.Event()

    def put(self, item: T) -> None:
        """Add an item, without waiting."""
        self._waiting = self._merge(self._waiting, item)
        self._filled.set()

    async def take(self, seconds: float) -> list[T]:
        """All items, or none if none arrives in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        except TimeoutError:
            return []
        self._filled.clear()
        taken, self._waiting = self._waiting, []
        return taken


async def body(
    mailbox: Mailbox[T],
    write: Callable[[T], bytes],
    subscription: AbstractContextManager[J],
    is_ending: Callable[[], bool],
    before: Callable[[J], AsyncIterator[T]] | None = None,
) -> AsyncIterator[bytes]:
    """The body of a response: the events before the subscription, then new ones as they arrive,
    and pings while there are none."""
    with subscription as position:
        yield _RETRY
        if before:
            try:
                async for item in before(position):
                    yield write(item)
            except ProblemError as problem:
                # The head of the response is sent; the client reconnects with the same id.
                yield problem_event(problem)
                return
        last_sent = time.monotonic()
        while not is_ending():
            # Events may be for other clients only.
            events = b"".join(map(write, await mailbox.take(_TICK_SECONDS)))
            if not events and time.monotonic() >= last_sent + PING_SECONDS:
                events = b": ping\n\n"
            if events:
                last_sent = time.monotonic()
                yield events
