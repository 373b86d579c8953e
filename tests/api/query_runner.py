"""An endpoint file asked within the test's process, for tests that need no API of their own."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from api.contract import endpoints
from api.query import registry, request
from api.query.clickhouse import Store
from api.query.registry import Query
from api.query.responses import Whole
from api.query.service import Service
from lib.settings import ClickHouse

T = TypeVar("T")


class QueryRunner:
    """Writes files into a folder and asks the session's ClickHouse for them."""

    def __init__(self, folder: Path, settings: ClickHouse) -> None:
        self._folder, self._settings = folder, settings

    def answer(self, sql: str, address: str = "", name: str = "asked") -> bytes:
        """What a file with this text answers."""
        return self._run(sql, name, lambda service, query: _answer(service, query, address))

    def rows(self, sql: str, address: str = "") -> list[dict[str, Any]]:
        """The rows of its JSON answer."""
        return list(msgspec.json.decode(self.answer(sql, address))["data"])

    def pages(self, sql: str, limit: int) -> list[list[dict[str, Any]]]:
        """All pages of it, by their cursors."""

        async def walk(service: Service, query: Query) -> list[list[dict[str, Any]]]:
            found, cursor = [], ""
            while True:
                answer = await _answer(service, query, f"limit={limit}{cursor}")
                page = json.loads(answer.decode(errors="surrogateescape"))
                found.append(page["data"])
                if page["next"] is None:
                    return found
                cursor = f"&cursor={page['next']}"

        return self._run(sql, "asked", walk)

    def query(self, sql: str) -> Query:
        """The file, checked as at the start of an API."""

        async def itself(_: Service, query: Query) -> Query:
            return query

        return self._run(sql, "asked", itself)

    def _run(self, sql: str, name: str, use: Callable[[Service, Query], Awaitable[T]]) -> T:
        path = self._folder / f"{name}.sql"
        path.write_text(sql, encoding="utf-8")

        async def run() -> T:
            store = Store(self._settings, 90)
            try:
                query = await registry.checked(endpoints.read(path, {}), store)
                return await use(Service(store, {name: query}), query)
            finally:
                await store.close()

        return asyncio.run(run())


async def _answer(service: Service, query: Query, address: str) -> bytes:
    answer = await service.answer(query, request.read(query, address.encode(), ""))
    if isinstance(answer, Whole):
        return answer.body
    async with aclosing(answer):
        return b"".join([piece async for piece in answer])
