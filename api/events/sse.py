"""Server-sent events: how they are written, and a client that can fall behind."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from api.problems import ProblemError

T = TypeVar("T")
J = TypeVar("J")

MEDIA_TYPE = "text/event-stream"
HEADERS = {
    # A proxy that compresses keeps events back until it has enough of them.
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "Vary": "Accept",
}
PING_SECONDS = 15.0
_TICK_SECONDS = 0.5
_RETRY = b"retry: 2000\n\n"


def event(data: bytes, *, name: str = "", identity: str = "") -> bytes:
    """One event; the newlines of JSON mean nothing, so the data is one line."""
    head = (f"event: {name}\n" if name else "") + (f"id: {identity}\n" if identity else "")
    return head.encode() + b"data: " + data.replace(b"\n", b"") + b"\n\n"


def problem_event(problem: ProblemError) -> bytes:
    """What went wrong, to a client that stays."""
    return event(problem.body(), name="problem")


class Mailbox(Generic[T]):
    """What waits for one client; `fold` joins what is new to what it has not taken yet."""

    def __init__(self, fold: Callable[[list[T], T], list[T]]) -> None:
        self._fold = fold
        self._waiting: list[T] = []
        self._filled = asyncio.Event()

    def put(self, item: T) -> None:
        """Leave something for the client; never waits."""
        self._waiting = self._fold(self._waiting, item)
        self._filled.set()

    async def take(self, seconds: float) -> list[T]:
        """All that waits, or nothing if nothing comes in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        except TimeoutError:
            return []
        self._filled.clear()
        taken, self._waiting = self._waiting, []
        return taken


async def sent(
    mailbox: Mailbox[T],
    write: Callable[[T], bytes],
    membership: AbstractContextManager[J],
    is_ending: Callable[[], bool],
    before: Callable[[J], AsyncIterator[T]] | None = None,
) -> AsyncIterator[bytes]:
    """The body of an answer: what was before the client joined, then events as they come, and
    pings when none do."""
    with membership as joined:
        yield _RETRY
        if before:
            try:
                async for item in before(joined):
                    yield write(item)
            except ProblemError as problem:
                # The head of the answer is sent; the client comes back with the same id.
                yield problem_event(problem)
                return
        heard = time.monotonic()
        while not is_ending():
            # What comes may be for other clients.
            events = b"".join(map(write, await mailbox.take(_TICK_SECONDS)))
            if not events and time.monotonic() >= heard + PING_SECONDS:
                events = b": ping\n\n"
            if events:
                heard = time.monotonic()
                yield events
