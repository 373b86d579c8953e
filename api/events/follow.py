"""Following an endpoint: its answer is sent again whenever it changes.

However many follow the same address, ClickHouse is asked once a second, and only while one does.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from api.events import sse
from api.events.sse import Mailbox
from api.problems import ProblemError
from api.query.registry import Query
from api.query.request import Asked
from api.query.responses import Whole
from api.query.service import Service

SECONDS = 1.0
_TOO_LONG = ProblemError(400, "The answer is too long to follow; ask for less.")


class Follows:
    """Every address that someone follows."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._feeds: dict[Asked, _Feed] = {}
        self.count = 0

    def close(self) -> None:
        """Ask no more."""
        for feed in self._feeds.values():
            feed.close()

    @contextmanager
    def joined(
        self, query: Query, asked: Asked, mailbox: Mailbox[bytes], seen: str
    ) -> Iterator[None]:
        """Let a mailbox get the answer now, unless the client has seen it, and at each change."""
        if asked not in self._feeds:
            self._feeds[asked] = _Feed(self._service, query, asked)
        feed = self._feeds[asked]
        self.count += 1
        feed.add(mailbox, seen)
        try:
            yield
        finally:
            self.count -= 1
            if feed.remove(mailbox) and self._feeds.get(asked) is feed:
                del self._feeds[asked]


class _Feed:
    """One address: who follows it, and what it last answered."""

    def __init__(self, service: Service, query: Query, asked: Asked) -> None:
        self._service, self._query, self._asked = service, query, asked
        self._mailboxes: dict[Mailbox[bytes], str] = {}
        self._tag, self._event = "", b""
        self._task = asyncio.create_task(self._run())

    def close(self) -> None:
        self._task.cancel()

    def add(self, mailbox: Mailbox[bytes], seen: str) -> None:
        self._mailboxes[mailbox] = seen
        if self._event and seen != self._tag:
            mailbox.put(self._event)

    def remove(self, mailbox: Mailbox[bytes]) -> bool:
        """Whether it was the last one."""
        del self._mailboxes[mailbox]
        if not self._mailboxes:
            self.close()
        return not self._mailboxes

    async def _run(self) -> None:
        while True:
            begun = asyncio.get_running_loop().time()
            try:
                answer = await self._service.answer(self._query, self._asked)
                if not isinstance(answer, Whole):
                    await answer.aclose()
                    raise _TOO_LONG
            except ProblemError as problem:
                self._tell(f"problem {problem.status}", sse.problem_event(problem))
            else:
                tag = answer.etag.strip('"')
                self._tell(tag, sse.event(answer.body, identity=tag))
            spent = asyncio.get_running_loop().time() - begun
            await asyncio.sleep(max(SECONDS - spent, 0.1))

    def _tell(self, tag: str, event: bytes) -> None:
        if tag == self._tag:
            return
        is_first = not self._event
        self._tag, self._event = tag, event
        for mailbox, seen in self._mailboxes.items():
            # Who comes back with the tag of this very answer has it.
            if not (is_first and seen == tag):
                mailbox.put(event)


def newest(_: list[bytes], item: bytes) -> list[bytes]:
    """For a Mailbox: only the last answer matters."""
    return [item]
