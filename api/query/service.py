"""Answers requests: equal requests at the same time share one query of ClickHouse."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator

from api.problems import ProblemError
from api.query import json_columns, responses
from api.query.clickhouse import ClickHouseClient, QueryError
from api.query.diagnosis import find_invalid_parameter
from api.query.registry import Query
from api.query.request import QueryRequest
from api.query.responses import BufferedResponse, StreamedResponse
from lib.errors import ServiceError

log = logging.getLogger("millrace.api")

# The size of the cache that `@cache` uses, in bytes.
MAX_CACHED = 32 * 1024 * 1024


class QueryService:
    """The endpoints, their running queries and cached responses."""

    def __init__(self, client: ClickHouseClient, registry: dict[str, Query]) -> None:
        self.client = client
        self.registry = registry
        self._running: dict[QueryRequest, asyncio.Task[BufferedResponse | StreamedResponse]] = {}
        self._cache: dict[QueryRequest, tuple[float, BufferedResponse]] = {}
        self._cached_bytes = 0

    def find(self, name: str) -> Query:
        """The endpoint with a name; raise ProblemError that lists the existing ones."""
        if name not in self.registry:
            known = [f"/api/{name}" for name in self.registry]
            raise ProblemError(404, f"There is no /api/{name[:60]}.", endpoints=known)
        return self.registry[name]

    async def answer(
        self, query: Query, request: QueryRequest
    ) -> BufferedResponse | AsyncGenerator[bytes, None]:
        """The response: buffered, or as a stream of bytes."""
        cached = self._cache.get(request)
        if cached and cached[0] > time.monotonic():
            return cached[1]
        response = await self._run_shared(query, request)
        if isinstance(response, BufferedResponse):
            return response
        source = responses.chunks(response)
        if query.json_columns and request.format.has_json_rows:
            source = json_columns.embed_chunks(source, query.json_columns)
        if request.format.name == "json":
            return responses.wrap_chunks(source, request.limit, query)
        return source

    async def _run_shared(
        self, query: Query, request: QueryRequest
    ) -> BufferedResponse | StreamedResponse:
        """Wait for an equal request that is running; a streamed response is not shared."""
        running = self._running.get(request)
        if running:
            response = await asyncio.shield(running)
            if isinstance(response, BufferedResponse):
                return response
            return await self._run(query, request)
        task = asyncio.create_task(self._run(query, request))
        self._running[request] = task
        task.add_done_callback(lambda _: self._running.pop(request, None))
        return await asyncio.shield(task)

    async def _run(
        self, query: Query, request: QueryRequest
    ) -> BufferedResponse | StreamedResponse:
        head = responses.csv_header(query) if request.format.name == "csv" else b""
        try:
            rows = await responses.run(self.client, request, head)
        except (QueryError, ServiceError) as error:
            if isinstance(error, QueryError):
                problem = await find_invalid_parameter(self.client, query, request)
                if problem:
                    log.warning("%s: %s %s", query.endpoint.place, problem.detail, error)
                    raise problem from None
            log.error("%s: %s", query.endpoint.place, error)
            raise ProblemError(500, "The endpoint's SQL failed; the log says why.") from None
        if isinstance(rows, StreamedResponse):
            return rows
        if query.json_columns and request.format.has_json_rows:
            rows = json_columns.embed(rows, query.json_columns)
        if request.format.name == "json":
            rows = responses.wrap(rows, request.limit, query)
        response = BufferedResponse(rows, responses.etag(rows))
        if query.endpoint.cache:
            self._store(request, response, query.endpoint.cache)
        return response

    def _store(self, request: QueryRequest, response: BufferedResponse, seconds: int) -> None:
        """Cache a response; the oldest ones are evicted."""
        self._evict(request)
        self._cache[request] = (time.monotonic() + seconds, response)
        self._cached_bytes += len(response.body)
        while self._cached_bytes > MAX_CACHED:
            self._evict(next(iter(self._cache)))

    def _evict(self, request: QueryRequest) -> None:
        if request in self._cache:
            self._cached_bytes -= len(self._cache.pop(request)[1].body)
