"""Subscriptions to events: followers of an endpoint, and clients of a stream."""

from collections.abc import AsyncIterator, Callable

from api.events import event_ids, follow, rows, sse
from api.events.follow import Followers
from api.events.sse import Mailbox
from api.events.stream import StreamPoller
from api.problems import ProblemError, bad_parameter
from api.query import registry
from api.query.registry import Query
from api.query.request import QueryRequest
from api.query.service import QueryService


class Publisher:
    """All subscriptions, up to a maximum number."""

    def __init__(self, service: QueryService, limit: int, is_ending: Callable[[], bool]) -> None:
        self._service = service
        self._limit = limit
        self._is_ending = is_ending
        self._followers = Followers(service)
        # Of each stream its queries, and what polls them.
        self._pollers: dict[str, tuple[tuple[Query, ...], StreamPoller]] = {}

    @property
    def count(self) -> int:
        """The number of subscribed clients."""
        return self._followers.count + sum(p.subscribers for _, p in self._pollers.values())

    def close(self) -> None:
        """Stop all queries."""
        self._followers.close()
        for _, poller in self._pollers.values():
            poller.close()

    async def subscribe(
        self, query: Query, target: QueryRequest | frozenset[str], last_id: str
    ) -> AsyncIterator[bytes]:
        """The body of a response that lasts until the client disconnects or the endpoint changes;
        raise ProblemError if there are too many clients."""
        if self.count >= self._limit:
            detail = f"{self._limit} clients follow already; try again later."
            raise ProblemError(503, detail, {"Retry-After": "10"})
        if isinstance(target, frozenset):
            return await self._stream(query, target, last_id)
        mailbox = Mailbox(follow.newest)
        subscription = self._followers.subscribed(query, target, mailbox, last_id)
        return sse.body(mailbox, lambda event: event, subscription, lambda: self._ends((query,)))

    async def _stream(
        self, query: Query, keys: frozenset[str], last_id: str
    ) -> AsyncIterator[bytes]:
        begin = event_ids.decode(last_id) if last_id else None
        if last_id and begin is None:
            takes = "the id of an event of this stream; without one the stream begins now"
            raise bad_parameter("Last-Event-ID", takes, last_id)
        queries = self._queries(query)
        poller = self._poller(queries)
        await poller.start()
        mailbox = Mailbox(rows.merge)
        return sse.body(
            mailbox,
            rows.EventWriter(keys).write,
            poller.subscribed(mailbox),
            lambda: self._ends(queries),
            lambda until: poller.replay(begin, until),
        )

    def _ends(self, queries: tuple[Query, ...]) -> bool:
        """Whether clients must reconnect: the server stops, or a file was edited, so that their
        parameters must be validated again."""
        served = self._service.registry.get(queries[0].endpoint.name)
        return self._is_ending() or served is not queries[0] or self._queries(served) != queries

    def _queries(self, query: Query) -> tuple[Query, ...]:
        """A query, and those that have an event in its stream."""
        return (query, *registry.events_of(self._service.registry, query))

    def _poller(self, queries: tuple[Query, ...]) -> StreamPoller:
        """The poller of a stream; an edited file gets a new one."""
        name = queries[0].endpoint.name
        if name not in self._pollers or self._pollers[name][0] != queries:
            # The old one polls until its last client has disconnected.
            poller = StreamPoller(self._service.client, queries[0], queries[1:])
            self._pollers[name] = queries, poller
        return self._pollers[name][1]
