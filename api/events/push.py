"""Who is sent events: clients that follow an endpoint, and clients of a stream."""

from collections.abc import AsyncIterator, Callable

from api.events import event_ids, follow, rows, sse
from api.events.follow import Follows
from api.events.sse import Mailbox
from api.events.stream import Hub
from api.problems import ProblemError, bad_parameter
from api.query.registry import Query
from api.query.request import Asked
from api.query.service import Service


class Push:
    """All that is pushed, and how many clients get it."""

    def __init__(self, service: Service, most: int, is_ending: Callable[[], bool]) -> None:
        self._service = service
        self._most = most
        self._is_ending = is_ending
        self._follows = Follows(service)
        self._hubs: dict[str, tuple[Query, Hub]] = {}

    @property
    def count(self) -> int:
        """How many clients there are."""
        return self._follows.count + sum(hub.listeners for _, hub in self._hubs.values())

    def close(self) -> None:
        """Ask ClickHouse no more."""
        self._follows.close()
        for _, hub in self._hubs.values():
            hub.close()

    async def body(
        self, query: Query, wanted: Asked | frozenset[str], seen: str
    ) -> AsyncIterator[bytes]:
        """What a client is sent for as long as it stays and the endpoint is the same; raise
        ProblemError if there is no room."""
        if self.count >= self._most:
            detail = f"{self._most} clients follow already; try again later."
            raise ProblemError(503, detail, {"Retry-After": "10"})
        if isinstance(wanted, frozenset):
            return await self._streamed(query, wanted, seen)
        mailbox = Mailbox(follow.newest)
        membership = self._follows.joined(query, wanted, mailbox, seen)
        return sse.sent(mailbox, lambda event: event, membership, lambda: self._ends(query))

    async def _streamed(
        self, query: Query, keys: frozenset[str], seen: str
    ) -> AsyncIterator[bytes]:
        begin = event_ids.decode(seen) if seen else None
        if seen and begin is None:
            takes = "the id of an event of this stream; without one the stream begins now"
            raise bad_parameter("Last-Event-ID", takes, seen)
        hub = self._hub(query)
        await hub.start()
        mailbox = Mailbox(rows.fold)
        return sse.sent(
            mailbox,
            rows.Writer(keys).write,
            hub.joined(mailbox),
            lambda: self._ends(query),
            lambda until: hub.replayed(begin, until),
        )

    def _ends(self, query: Query) -> bool:
        """Whether clients must come back: the server stops, or the file was edited, and then their
        address must be read anew."""
        return self._is_ending() or self._service.registry.get(query.endpoint.name) is not query

    def _hub(self, query: Query) -> Hub:
        """The hub of a stream; a file that was edited gets a new one."""
        name = query.endpoint.name
        if name not in self._hubs or self._hubs[name][0] is not query:
            # The old one polls until its last client has left.
            self._hubs[name] = (query, Hub(self._service.store, query))
        return self._hubs[name][1]
