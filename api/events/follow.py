"""Followed endpoints: the answer is sent again whenever it changes.

All followers of an address share one query of ClickHouse a second, which runs only while there is a
follower.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from api.events import sse
from api.events.sse import Mailbox
from api.problems import ProblemError
from api.query.registry import Query
from api.query.request import QueryRequest
from api.query.responses import BufferedResponse
from api.query.service import QueryService

INTERVAL = 1.0
_TOO_LONG = ProblemError(400, "The answer is too long to follow; ask for less.")


class Followers:
    """The followers of every address."""

    def __init__(self, service: QueryService) -> None:
        self._service = service
        self._feeds: dict[QueryRequest, _Feed] = {}
        self.count = 0

    def close(self) -> None:
        """Stop all queries."""
        for feed in self._feeds.values():
            feed.close()

    @contextmanager
    def subscribed(
        self, query: Query, request: QueryRequest, mailbox: Mailbox[bytes], last_id: str
    ) -> Iterator[None]:
        """Send a mailbox the answer now, unless its id is `last_id`, and at each change."""
        if request not in self._feeds:
            self._feeds[request] = _Feed(self._service, query, request)
        feed = self._feeds[request]
        self.count += 1
        feed.add(mailbox, last_id)
        try:
            yield
        finally:
            self.count -= 1
            if feed.remove(mailbox) and self._feeds.get(request) is feed:
                del self._feeds[request]


class _Feed:
    """One address: its followers, and its last answer."""

    def __init__(self, service: QueryService, query: Query, request: QueryRequest) -> None:
        self._service, self._query, self._request = service, query, request
        self._last_ids: dict[Mailbox[bytes], str] = {}
        self._tag, self._event = "", b""
        self._task = asyncio.create_task(self._run())

    def close(self) -> None:
        self._task.cancel()

    def add(self, mailbox: Mailbox[bytes], last_id: str) -> None:
        self._last_ids[mailbox] = last_id
        if self._event and last_id != self._tag:
            mailbox.put(self._event)

    def remove(self, mailbox: Mailbox[bytes]) -> bool:
        """Return whether it was the last one."""
        del self._last_ids[mailbox]
        if not self._last_ids:
            self.close()
        return not self._last_ids

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            try:
                response = await self._service.answer(self._query, self._request)
                if not isinstance(response, BufferedResponse):
                    await response.aclose()
                    raise _TOO_LONG
            except ProblemError as problem:
                self._publish(f"problem {problem.status}", sse.problem_event(problem))
            else:
                tag = response.etag.strip('"')
                self._publish(tag, sse.event(response.body, identity=tag))
            await asyncio.sleep(max(INTERVAL - (loop.time() - begun), 0.1))

    def _publish(self, tag: str, event: bytes) -> None:
        if tag == self._tag:
            return
        is_first = not self._event
        self._tag, self._event = tag, event
        for mailbox, last_id in self._last_ids.items():
            # A client that resumes with the tag of this answer has it already.
            if not (is_first and last_id == tag):
                mailbox.put(event)


def newest(_: list[bytes], item: bytes) -> list[bytes]:
    """For a Mailbox: only the last answer matters."""
    return [item]
