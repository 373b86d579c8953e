"""Compare the latency of the API with that of the same SQL in ClickHouse."""

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any
from urllib.parse import urlencode

from api.query import registry
from api.query.clickhouse import ClickHouseClient
from api.query.request import QueryRequest, read_request
from bench.api.connection import Connection
from bench.stack import progress
from lib.settings import Settings

# However slow the answers are.
FEWEST = 10


@dataclass(frozen=True, slots=True)
class Request:
    """A request by HTTP, for a Connection or as it is sent."""

    port: int
    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def message(self) -> bytes:
        """The request as it is sent."""
        headers = [("Host", "localhost"), ("Content-Length", str(len(self.body))), *self.headers]
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {x}" for name, x in headers)]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def api_request(config: Settings, address: str) -> Request:
    """The request of an address to the API."""
    return Request(config.api.port, "GET", f"/api/{address}")


def clickhouse_request(config: Settings, address: str) -> Request:
    """The request to ClickHouse for the rows that the API answers for an address."""
    query = asyncio.run(read(config, address))
    bound = {f"param_{key}": value for key, value in query.bound}
    path = f"/?{urlencode({**bound, 'default_format': 'JSONEachRow'})}"
    reader = ("X-ClickHouse-User", config.clickhouse.reader_user)
    return Request(config.clickhouse.port, "POST", path, query.sql.encode(), (reader,))


async def read(config: Settings, address: str) -> QueryRequest:
    """The query that the API sends to ClickHouse for an address."""
    name, _, parameters = address.partition("?")
    client = ClickHouseClient(config.clickhouse, config.api.timeout)
    try:
        endpoints = await registry.load(config.sql_dir / "api", config.variables(), client)
        return read_request(endpoints[name], parameters.encode(), "")
    finally:
        await client.close()


def compare(
    config: Settings, address: str, times: int = 200, seconds: float = inf
) -> dict[str, Any]:
    """Ask ClickHouse and the API in turn, so many times, or fewer if that takes longer; both
    medians, and that of what the API adds."""
    calls = [caller(clickhouse_request(config, address)), caller(api_request(config, address))]
    begun = time.monotonic()
    pairs: list[tuple[float, float]] = []
    for number in progress(range(times), address):
        if number >= FEWEST and time.monotonic() > begun + seconds:
            break
        # The second finds what the first has read in caches.
        order = (0, 1) if number % 2 else (1, 0)
        took = {which: timed(calls[which]) for which in order}
        pairs.append((took[0], took[1]))
    return {"address": address, **figures(pairs)}


def caller(request: Request) -> Callable[[], int]:
    """A function that sends a request over its own connection and reads the answer."""
    connection = Connection(request.port)
    more = (request.body, dict(request.headers))
    return lambda: connection.request(request.method, request.path, *more)


def timed(call: Callable[[], Any]) -> float:
    """The duration of a call, in ms."""
    begun = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - begun)


def figures(pairs: list[tuple[float, float]]) -> dict[str, Any]:
    """The medians of durations, each of ClickHouse and of the API, in ms."""
    clickhouse, api = zip(*pairs, strict=True)
    return {
        "pairs": len(pairs),
        "api_ms": round(statistics.median(api), 3),
        "clickhouse_ms": round(statistics.median(clickhouse), 3),
        "added_ms": round(statistics.median(second - first for first, second in pairs), 3),
    }


def shown(found: dict[str, Any]) -> str:
    """One line for one comparison."""
    ratio = found["api_ms"] / found["clickhouse_ms"]
    return (
        f"/api/{found['address']}: {found['api_ms']:.1f} ms at the median of {found['pairs']}, "
        f"ClickHouse alone {found['clickhouse_ms']:.1f} ms (ratio {ratio:.2f}, the API adds "
        f"{found['added_ms']:.1f} ms)"
    )
