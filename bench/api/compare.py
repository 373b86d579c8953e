"""Compare the latency of the API with that of the same SQL in ClickHouse."""

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from api.query import registry
from api.query.clickhouse import ClickHouseClient
from api.query.request import QueryRequest, read_request
from bench.api.connection import Connection
from bench.stack import console, progress
from lib.settings import Settings


def compare(config: Settings, name: str, address: str, times: int = 200) -> float:
    """Query the API and ClickHouse in turn; print both medians, return that of the API in ms."""
    query = asyncio.run(read(config, name, address))
    bound = {f"param_{key}": value for key, value in query.bound}
    direct = f"/?{urlencode({**bound, 'default_format': 'JSONEachRow'})}"
    store = Connection(config.clickhouse.port)
    api = Connection(config.api.port)
    path = f"/api/{name}?{address}"
    reader = {"X-ClickHouse-User": config.clickhouse.reader_user}
    pairs = []
    for _ in progress(range(times), name):
        before = timed(lambda: store.request("POST", direct, query.sql.encode(), reader))
        pairs.append((before, timed(lambda: api.request("GET", path))))
    alone, through = (float(statistics.median(times)) for times in zip(*pairs, strict=True))
    added = statistics.median(through - alone for alone, through in pairs)
    console.print(
        f"{path}: {through:.1f} ms at the median, ClickHouse alone {alone:.1f} ms "
        f"(ratio {through / alone:.2f}, the API adds {added:.1f} ms)"
    )
    return through


async def read(config: Settings, name: str, address: str) -> QueryRequest:
    """The query that the API sends to ClickHouse for an address."""
    client = ClickHouseClient(config.clickhouse, config.api.timeout)
    try:
        endpoints = await registry.load(config.sql_dir / "api", config.variables(), client)
        return read_request(endpoints[name], address.encode(), "")
    finally:
        await client.close()


def timed(call: Callable[[], Any]) -> float:
    """The duration of a call, in ms."""
    begun = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - begun)
