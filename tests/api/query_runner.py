"""Endpoint files queried in the test's process, for tests that need no API of their own."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from api.contract import endpoints
from api.query import registry
from api.query.clickhouse import ClickHouseClient
from api.query.registry import Query
from api.query.request import read_request
from api.query.responses import BufferedResponse
from api.query.service import QueryService
from lib.settings import ClickHouse

T = TypeVar("T")


class QueryRunner:
    """Writes files into a folder and runs them on the session's ClickHouse."""

    def __init__(self, folder: Path, settings: ClickHouse) -> None:
        self._folder, self._settings = folder, settings

    def answer(self, sql: str, address: str = "", name: str = "file") -> bytes:
        """The answer of a file with this text."""
        return self._run(sql, name, lambda service, query: _answer(service, query, address))

    def rows(self, sql: str, address: str = "") -> list[dict[str, Any]]:
        """The rows of its JSON answer."""
        return list(msgspec.json.decode(self.answer(sql, address))["data"])

    def pages(self, sql: str, limit: int) -> list[list[dict[str, Any]]]:
        """The rows of all its pages, by their cursors."""

        async def walk(service: QueryService, query: Query) -> list[list[dict[str, Any]]]:
            pages, cursor = [], ""
            while True:
                answer = await _answer(service, query, f"limit={limit}{cursor}")
                page = json.loads(answer.decode(errors="surrogateescape"))
                pages.append(page["data"])
                if page["next"] is None:
                    return pages
                cursor = f"&cursor={page['next']}"

        return self._run(sql, "file", walk)

    def query(self, sql: str) -> Query:
        """The file, checked as at the start of an API."""

        async def identity(_: QueryService, query: Query) -> Query:
            return query

        return self._run(sql, "file", identity)

    def _run(self, sql: str, name: str, use: Callable[[QueryService, Query], Awaitable[T]]) -> T:
        path = self._folder / f"{name}.sql"
        path.write_text(sql, encoding="utf-8")

        async def run() -> T:
            client = ClickHouseClient(self._settings, 90)
            try:
                query = await registry.check(endpoints.read(path, {}), client)
                return await use(QueryService(client, {name: query}), query)
            finally:
                await client.close()

        return asyncio.run(run())


async def _answer(service: QueryService, query: Query, address: str) -> bytes:
    answer = await service.answer(query, read_request(query, address.encode(), ""))
    if isinstance(answer, BufferedResponse):
        return answer.body
    async with aclosing(answer):
        return b"".join([piece async for piece in answer])
