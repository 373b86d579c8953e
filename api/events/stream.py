"""New rows as they are stored: one poll of ClickHouse serves every client of a stream."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager

import msgspec

from api.contract import stream_offsets
from api.contract.stream_offsets import Position
from api.events import event_ids
from api.events.rows import Rows
from api.events.sse import Mailbox
from api.problems import ProblemError
from api.query import json_columns
from api.query.clickhouse import RefusedError, Store
from api.query.registry import Query
from lib.errors import ServiceError

log = logging.getLogger("millrace.api")

POLL_SECONDS = 0.05
# It goes on so long after its last client, who may come back.
IDLE_SECONDS = 10
# A row is looked for among those stored so long before the last poll: an insert takes less.
SLACK_SECONDS = 60
# Rows of one poll, and of one event when a gap is replayed.
MOST_ROWS = 20_000
REPLAYED_ROWS = 500
# Of more sources the id is longer than a row, and comes apart from the rows, once in ID_SECONDS.
FEW_SOURCES = 100
ID_SECONDS = 1.0


class Hub:
    """One stream: it polls while someone listens."""

    def __init__(self, store: Store, query: Query) -> None:
        self._store, self._query = store, query
        assert query.endpoint.stream is not None
        self._stream = query.endpoint.stream
        self._mailboxes: set[Mailbox[Rows]] = set()
        self._position: Position = {}
        # When each source had its last row.
        self._moved: dict[str, float] = {}
        # Whether rows were sent without an id, and when the last id was sent without rows.
        self._owes_id = False
        self._identified = 0.0
        self._polled = 0.0
        self._heard = 0.0
        self._task: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    @property
    def listeners(self) -> int:
        """How many clients there are."""
        return len(self._mailboxes)

    async def start(self) -> None:
        """Find the present end and poll from there; raise ProblemError if ClickHouse does not
        answer."""
        async with self._starting:
            # Who starts it joins a little later.
            now = self._heard = time.monotonic()
            if self._task is None or self._task.done():
                self._position = await self._end()
                self._moved = dict.fromkeys(self._position, now)
                self._polled = now
                self._task = asyncio.create_task(self._poll())

    def close(self) -> None:
        """Poll no more."""
        if self._task:
            self._task.cancel()

    @contextmanager
    def joined(self, mailbox: Mailbox[Rows]) -> Iterator[Position]:
        """Let a mailbox get every row from now on, which is from this position."""
        self._mailboxes.add(mailbox)
        try:
            yield dict(self._position)
        finally:
            self._mailboxes.discard(mailbox)

    async def replayed(
        self, seen: tuple[int, Position] | None, until: Position
    ) -> AsyncIterator[Rows]:
        """The rows between an event's id and the position at which a client joined; to one that
        comes without an id, where it stands."""
        if seen is None:
            yield Rows([], self._identity(until))
            return
        begun, position = seen
        while True:
            # A clock may have been set back since.
            window = max(time.time() - begun, 0) + SLACK_SECONDS
            rows = await self._rows(position, window, MOST_ROWS, until)
            for first in range(0, len(rows), REPLAYED_ROWS):
                some = rows[first : first + REPLAYED_ROWS]
                lines = self._advance(position, some)
                yield Rows(lines, event_ids.encode(begun, position))
            if len(rows) < MOST_ROWS:
                return

    async def _poll(self) -> None:
        """Poll until nobody listens."""
        # However long a poll takes: who listens is never left without the next.
        while self._mailboxes or time.monotonic() < self._heard + IDLE_SECONDS:
            begun = time.monotonic()
            if self._mailboxes:
                self._heard = begun
            try:
                rows = await self._rows(
                    self._position, begun - self._polled + SLACK_SECONDS, MOST_ROWS
                )
            except ProblemError:
                await asyncio.sleep(1)
                continue
            self._tell(rows)
            if len(rows) < MOST_ROWS:
                self._polled = begun
                spent = time.monotonic() - begun
                # A slow ClickHouse has two thirds of its time for others.
                await asyncio.sleep(max(POLL_SECONDS - spent, 2 * spent))

    def _tell(self, rows: list[bytes]) -> None:
        if lines := self._advance(self._position, rows):
            self._owes_id = len(self._recent(self._position)) > FEW_SOURCES
            self._put(Rows(lines, "" if self._owes_id else self._identity(self._position)))
        now = time.monotonic()
        if self._owes_id and now >= self._identified + ID_SECONDS:
            self._put(Rows([], self._identity(self._position)))
            self._owes_id, self._identified = False, now

    def _put(self, rows: Rows) -> None:
        for mailbox in self._mailboxes:
            mailbox.put(rows)

    def _identity(self, position: Position) -> str:
        return event_ids.encode(time.time(), self._recent(position))

    def _recent(self, position: Position) -> Position:
        """Of a position, the sources of which rows are asked for when a client comes back; of
        others it has seen none that is young enough."""
        since = time.monotonic() - 2 * SLACK_SECONDS
        return {
            source: n for source, n in position.items() if self._moved.get(source, since) >= since
        }

    def _advance(self, position: Position, rows: list[bytes]) -> list[tuple[str, bytes]]:
        """Move a position behind rows; leave out what lies before it, as a row stored twice."""
        lines = []
        for line in rows:
            row = msgspec.json.decode(line)
            source, offset = self._stream.place(row)
            if offset >= position.get(source, 0):
                position[source] = offset + 1
                self._moved[source] = time.monotonic()
                lines.append((str(row[self._stream.key]), line))
        return lines

    async def _rows(
        self, position: Position, window: float, most: int, until: Position | None = None
    ) -> list[bytes]:
        stream = self._stream
        offset, places = f"`{stream.offset}`", ", ".join(f"`{name}`" for name in stream.sources)
        bounds, params = (
            f"{offset} >= {stream.next_in('_from')}",
            stream_offsets.params("_from", position),
        )
        if until is not None:
            bounds += f" AND {offset} < {stream.next_in('_until')}"
            params |= stream_offsets.params("_until", until)
        sql = (
            f"SELECT {self._query.selects[True]} FROM "
            f"(SELECT * FROM (\n{self._query.endpoint.sql}\n) "
            f"WHERE {bounds} ORDER BY {places}, {offset} LIMIT {most})"
        )
        found = await self._ask(sql, window, params)
        names = self._query.documents
        return (json_columns.embedded(found, names) if names else found).splitlines()

    async def _end(self) -> Position:
        """The next offset of each source."""
        stream = self._stream
        sql = (
            f"SELECT {stream.source} AS source, toString(max(`{stream.offset}`) + 1) AS next "
            f"FROM (\n{self._query.endpoint.sql}\n) GROUP BY source"
        )
        found = await self._ask(sql, time.time(), {})
        rows = (msgspec.json.decode(line) for line in found.splitlines())
        return {row["source"]: int(row["next"]) for row in rows}

    async def _ask(self, sql: str, window: float, params: Mapping[str, str]) -> bytes:
        given = {"window": str(int(window) + 1), **params}
        try:
            return await self._store.ask(sql, given, "JSONEachRow")
        except (RefusedError, ServiceError) as error:
            log.error("%s: %s", self._query.endpoint.place, error)
            raise ProblemError(500, "The stream's SQL failed; the log says why.") from None
