"""The API in `make bench`: what it adds to a query, by the size of the table, and how it answers
many clients, each beside the same SQL in ClickHouse alone."""

import asyncio
from collections.abc import Sequence
from typing import Any

from clickhouse_connect.driver.client import Client

from bench import running
from bench.api.clients import closed
from bench.api.compare import api_request, clickhouse_request, compare, shown
from bench.api.fill import fill, settle
from bench.api.served import served
from bench.contenders import Contender
from bench.failures import failures
from bench.sizes import Sizes
from bench.stack import console, steps
from lib import clickhouse
from lib.settings import Settings

SYMBOLS = 500
# The table has one day of ticks, so these candles are of a day too.
ADDRESSES = {
    "latest": "latest",
    "candles": "candles?symbols=S001&limit=1440",
    "history": "history?symbols=S001",
    "recent": "recent?symbols=" + ",".join(f"S{number:03}" for number in range(1, 11)),
}
# How often each is asked, and for how long at most, in seconds.
PAIRS, LIMIT = 60, 5.0
# How many ask for `latest` at once.
CLIENTS = (1, 10, 100, 500)
# How long merges may take, in seconds.
MERGE_LIMIT = 240.0


def section(
    config: Settings, contenders: Sequence[Contender], sizes: Sizes, into: dict[str, Any]
) -> None:
    """Ask for each address at each size of the table, and at the largest with many clients."""
    client = clickhouse.connect(config.clickhouse)
    running.empty(client)
    into |= {"symbols": SYMBOLS, "millions": [*sizes.api_millions]}
    with failures("api", into), served(config) as own:
        before = 0
        for size in steps(sizes.api_millions, "api", lambda one: f"{one} million rows"):
            fill_up(client, before, size, sizes.api_millions[-1])
            before = size
            endpoints(own, size, into)
        many(own, sizes.api_seconds, into)


def fill_up(client: Client, before: int, millions: int, of: int) -> None:
    """Store the ticks that are missing, and wait for the merges."""
    fill(client, range(before, millions), of, SYMBOLS)
    settle(client, MERGE_LIMIT)


def endpoints(config: Settings, millions: int, into: dict[str, Any]) -> None:
    """Ask the API and ClickHouse for each address."""
    for name, address in ADDRESSES.items():
        with failures(f"{name} at {millions} million rows", into):
            found = compare(config, address, PAIRS, LIMIT)
            into.setdefault("endpoints", {}).setdefault(name, {})[str(millions)] = found
            console.print(f"  {millions} million rows, {shown(found)}")


def many(config: Settings, seconds: float, into: dict[str, Any]) -> None:
    """Have many clients ask the API, and ClickHouse, for the newest tick of each symbol."""
    ways = {
        "api": api_request(config, "latest"),
        "clickhouse": clickhouse_request(config, "latest"),
    }
    for clients in steps(CLIENTS, "api", lambda one: f"{one} clients"):
        for way, request in ways.items():
            found = asyncio.run(closed(request, clients, seconds))
            into.setdefault("clients", {}).setdefault(str(clients), {})[way] = found
            console.print(
                f"  {clients} at once, {way}: {found['rate']:,.0f} a second, "
                f"p50 {found['p50_ms']} ms, p99 {found['p99_ms']} ms, {found['failed']} failed"
            )
