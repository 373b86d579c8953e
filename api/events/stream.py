"""A stream of new rows as they are stored: one poll of ClickHouse serves all its clients.

A stream has the rows of its own query, and as events with a name those of others."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from api.contract import stream_offsets
from api.contract.endpoints import WINDOW
from api.contract.stream_offsets import Position, Stream
from api.events import event_ids
from api.events.rows import RowBatch
from api.events.sse import Mailbox
from api.problems import ProblemError
from api.query import json_columns
from api.query.clickhouse import ClickHouseClient, QueryError
from api.query.registry import Query
from lib.errors import ServiceError

log = logging.getLogger("millrace.api")

POLL_SECONDS = 0.05
# Polling continues for so long after the last client, which may reconnect.
IDLE_SECONDS = 10
# A poll reads the rows that were stored up to so long before the last one: an insert takes less.
SLACK_SECONDS = 60
# The maximum of rows of one poll, and of one event when a gap is replayed.
MAX_ROWS = 20_000
MAX_REPLAYED = 500
# The id of more sources is longer than a row: it is an event of its own, once in ID_SECONDS.
FEW_SOURCES = 100
ID_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Feed:
    """A query whose rows are events of this name, by default without one."""

    query: Query
    stream: Stream
    event: str = ""

    def place(self, source: str) -> str:
        """A source in the position of the whole stream."""
        return f"{self.event}:{source}" if self.event else source

    def part(self, position: Position) -> Position:
        """The sources of this query in the position of the whole stream."""
        if not self.event:
            return position
        head = self.place("")
        return {p.removeprefix(head): n for p, n in position.items() if p.startswith(head)}


def _feeds(query: Query, events: Sequence[Query]) -> Iterator[_Feed]:
    if query.endpoint.stream:
        yield _Feed(query, query.endpoint.stream)
    for each in events:
        if each.endpoint.stream and each.endpoint.event:
            yield _Feed(each, each.endpoint.stream, each.endpoint.event.name)


class StreamPoller:
    """One stream, which is polled while it has subscribers; `events` are the queries that have an
    event in it."""

    def __init__(
        self, client: ClickHouseClient, query: Query, events: Sequence[Query] = ()
    ) -> None:
        self._client = client
        self._feeds = [*_feeds(query, events)]
        self._mailboxes: set[Mailbox[RowBatch]] = set()
        self._position: Position = {}
        # The time of the last row of each source.
        self._advanced: dict[str, float] = {}
        # Whether rows were sent without an id, and the time of the last id without rows.
        self._owes_id = False
        self._id_sent = 0.0
        self._polled = 0.0
        self._last_used = 0.0
        self._task: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    @property
    def subscribers(self) -> int:
        """The number of clients."""
        return len(self._mailboxes)

    async def start(self) -> None:
        """Poll from the present end on; raise ProblemError if ClickHouse does not answer."""
        async with self._starting:
            # The subscription follows a little later.
            now = self._last_used = time.monotonic()
            if self._task is None or self._task.done():
                self._position = {}
                for feed in self._feeds:
                    self._position |= await self._end(feed)
                self._advanced = dict.fromkeys(self._position, now)
                self._polled = now
                self._task = asyncio.create_task(self._poll())

    def close(self) -> None:
        """Stop polling."""
        if self._task:
            self._task.cancel()

    @contextmanager
    def subscribed(self, mailbox: Mailbox[RowBatch]) -> Iterator[Position]:
        """Send a mailbox every row from now on, which is from the yielded position."""
        self._mailboxes.add(mailbox)
        try:
            yield dict(self._position)
        finally:
            self._mailboxes.discard(mailbox)

    async def replay(
        self, begin: tuple[int, Position] | None, until: Position
    ) -> AsyncIterator[RowBatch]:
        """The rows between an event's id and the position of the subscription; without an id, only
        the id of that position."""
        if begin is None:
            yield RowBatch([], self._identity(until))
            return
        begun, position = begin
        while True:
            # The clock may have been set back.
            window = max(time.time() - begun, 0) + SLACK_SECONDS
            counts = []
            for feed in self._feeds:
                rows = await self._rows(feed, position, window, until)
                counts.append(len(rows))
                for first in range(0, len(rows), MAX_REPLAYED):
                    lines = self._advance(feed, position, rows[first : first + MAX_REPLAYED])
                    yield RowBatch(lines, event_ids.encode(begun, position), feed.event)
            if max(counts) < MAX_ROWS:
                return

    async def _poll(self) -> None:
        """Poll until there has been no subscriber for IDLE_SECONDS."""
        # Subscribers get the next poll however long the last one took.
        while self._mailboxes or time.monotonic() < self._last_used + IDLE_SECONDS:
            begun = time.monotonic()
            if self._mailboxes:
                self._last_used = begun
            window = begun - self._polled + SLACK_SECONDS
            try:
                found = await asyncio.gather(
                    *(self._rows(feed, self._position, window) for feed in self._feeds)
                )
            except ProblemError:
                await asyncio.sleep(1)
                continue
            for feed, rows in zip(self._feeds, found, strict=True):
                self._publish(feed, rows)
            if max(map(len, found)) < MAX_ROWS:
                self._polled = begun
                spent = time.monotonic() - begun
                # A slow ClickHouse keeps two thirds of its time for other queries.
                await asyncio.sleep(max(POLL_SECONDS - spent, 2 * spent))

    def _publish(self, feed: _Feed, rows: list[bytes]) -> None:
        if lines := self._advance(feed, self._position, rows):
            self._owes_id = len(self._recent(self._position)) > FEW_SOURCES
            identity = "" if self._owes_id else self._identity(self._position)
            self._put(RowBatch(lines, identity, feed.event))
        now = time.monotonic()
        if self._owes_id and now >= self._id_sent + ID_SECONDS:
            self._put(RowBatch([], self._identity(self._position)))
            self._owes_id, self._id_sent = False, now

    def _put(self, batch: RowBatch) -> None:
        for mailbox in self._mailboxes:
            mailbox.put(batch)

    def _identity(self, position: Position) -> str:
        return event_ids.encode(time.time(), self._recent(position))

    def _recent(self, position: Position) -> Position:
        """The part of a position that a client needs to resume: the sources with recent rows."""
        since = time.monotonic() - 2 * SLACK_SECONDS
        return {
            source: n
            for source, n in position.items()
            if self._advanced.get(source, since) >= since
        }

    def _advance(
        self, feed: _Feed, position: Position, rows: list[bytes]
    ) -> list[tuple[str, bytes]]:
        """Move a position behind rows; leave out rows before it, as one that is stored twice."""
        lines = []
        for line in rows:
            row = msgspec.json.decode(line)
            source, offset = feed.stream.source_and_offset(row)
            place = feed.place(source)
            if offset >= position.get(place, 0):
                position[place] = offset + 1
                self._advanced[place] = time.monotonic()
                lines.append((str(row[feed.stream.key]), line))
        return lines

    async def _rows(
        self, feed: _Feed, position: Position, window: float, until: Position | None = None
    ) -> list[bytes]:
        stream = feed.stream
        offset, sources = f"`{stream.offset}`", ", ".join(f"`{name}`" for name in stream.sources)
        condition = f"{offset} >= {stream.next_offset('_from')}"
        parameters = stream_offsets.bind("_from", feed.part(position))
        if until is not None:
            condition += f" AND {offset} < {stream.next_offset('_until')}"
            parameters |= stream_offsets.bind("_until", feed.part(until))
        sql = (
            f"SELECT {feed.query.selects[True]} FROM "
            f"(SELECT * FROM (\n{feed.query.endpoint.sql}\n) "
            f"WHERE {condition} ORDER BY {sources}, {offset} LIMIT {MAX_ROWS})"
        )
        lines = await self._fetch(feed, sql, window, parameters)
        names = feed.query.json_columns
        return (json_columns.embed(lines, names) if names else lines).splitlines()

    async def _end(self, feed: _Feed) -> Position:
        """The next offset of each source of a query."""
        stream = feed.stream
        sql = (
            f"SELECT {stream.source} AS source, toString(max(`{stream.offset}`) + 1) AS next "
            f"FROM (\n{feed.query.endpoint.sql}\n) GROUP BY source"
        )
        lines = await self._fetch(feed, sql, time.time(), {})
        rows = (msgspec.json.decode(line) for line in lines.splitlines())
        return {feed.place(row["source"]): int(row["next"]) for row in rows}

    async def _fetch(
        self, feed: _Feed, sql: str, window: float, parameters: Mapping[str, str]
    ) -> bytes:
        bound = {WINDOW: str(int(window) + 1), **parameters}
        try:
            return await self._client.fetch(sql, bound, "JSONEachRow")
        except (QueryError, ServiceError) as error:
            log.error("%s: %s", feed.query.endpoint.place, error)
            raise ProblemError(500, "The stream's SQL failed; the log says why.") from None
