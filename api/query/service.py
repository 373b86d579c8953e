"""Answers requests: one query of ClickHouse for all that ask the same at the same time."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator

from api.problems import ProblemError
from api.query import json_columns, refusals, responses
from api.query.clickhouse import RefusedError, Store
from api.query.registry import Query
from api.query.request import Asked
from api.query.responses import Streamed, Whole
from lib.errors import ServiceError

log = logging.getLogger("millrace.api")

# How much of what `@cache` allows is kept, in bytes.
KEPT = 32 * 1024 * 1024


class Service:
    """The endpoints and what runs for them."""

    def __init__(self, store: Store, registry: dict[str, Query]) -> None:
        self.store = store
        self.registry = registry
        self._running: dict[Asked, asyncio.Task[Whole | Streamed]] = {}
        self._kept: dict[Asked, tuple[float, Whole]] = {}
        self._kept_bytes = 0

    def find(self, name: str) -> Query:
        """The endpoint of a name; raise ProblemError that lists those there are."""
        if name not in self.registry:
            known = [f"/api/{name}" for name in self.registry]
            raise ProblemError(404, f"There is no /api/{name[:60]}.", endpoints=known)
        return self.registry[name]

    async def answer(self, query: Query, asked: Asked) -> Whole | AsyncGenerator[bytes, None]:
        """The answer's bytes, whole or as they come."""
        kept = self._kept.get(asked)
        if kept and kept[0] > time.monotonic():
            return kept[1]
        found = await self._shared(query, asked)
        if isinstance(found, Whole):
            return found
        source = responses.pieces(found)
        if query.documents and asked.format.has_json_rows:
            source = json_columns.embedded_pieces(source, query.documents)
        if asked.format.name == "json":
            return responses.enveloped_pieces(source, asked.limit, query)
        return source

    async def _shared(self, query: Query, asked: Asked) -> Whole | Streamed:
        """Wait for an equal question that is under way; what streams serves only who began it."""
        running = self._running.get(asked)
        if running:
            found = await asyncio.shield(running)
            if isinstance(found, Whole):
                return found
            return await self._begin(query, asked)
        task = asyncio.create_task(self._begin(query, asked))
        self._running[asked] = task
        task.add_done_callback(lambda _: self._running.pop(asked, None))
        return await asyncio.shield(task)

    async def _begin(self, query: Query, asked: Asked) -> Whole | Streamed:
        head = responses.csv_header(query) if asked.format.name == "csv" else b""
        try:
            response = await self.store.start(asked.sql, dict(asked.bound), asked.format.clickhouse)
            found = await responses.start(response, head)
        except (RefusedError, ServiceError) as error:
            if isinstance(error, RefusedError):
                problem = await refusals.find(self.store, query, asked)
                if problem:
                    log.warning("%s: %s %s", query.endpoint.place, problem.detail, error)
                    raise problem from None
            log.error("%s: %s", query.endpoint.place, error)
            raise ProblemError(500, "The endpoint's SQL failed; the log says why.") from None
        if isinstance(found, Streamed):
            return found
        if query.documents and asked.format.has_json_rows:
            found = json_columns.embedded(found, query.documents)
        if asked.format.name == "json":
            found = responses.enveloped(found, asked.limit, query)
        whole = Whole(found, responses.etag(found))
        self._keep(asked, whole, query.endpoint.cache)
        return whole

    def _keep(self, asked: Asked, whole: Whole, seconds: int) -> None:
        """Keep an answer for as long as its file says, the oldest giving way."""
        if not seconds:
            return
        self._forget(asked)
        self._kept[asked] = (time.monotonic() + seconds, whole)
        self._kept_bytes += len(whole.body)
        while self._kept_bytes > KEPT:
            self._forget(next(iter(self._kept)))

    def _forget(self, asked: Asked) -> None:
        if asked in self._kept:
            self._kept_bytes -= len(self._kept.pop(asked)[1].body)
