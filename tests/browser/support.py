"""Ticks of the current time, and what the dashboard shows."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from clickhouse_connect.driver.client import Client
from playwright.sync_api import ConsoleMessage, Locator, Page, Request, expect

from tests.api.support import DAY, Api, insert
from tests.conftest import wait_until

# Above the offsets of tests that ran before: a stream starts after those.
_offsets = count(time.time_ns())
STATUS = ["job", "reported_at", "state", "message", "checkpointed_at", "partitions", "should_run"]
SERIES = """async () => {
    const { getInstanceByDom } = await import("/assets/echarts.esm.min.js");
    const drawn = getInstanceByDom(document.querySelector("#chart"))?.getOption()?.series ?? [];
    return drawn.map(({ type, name, data }) => ({ type, name, data }));
}"""
# The state, the notice and the age of the data.
STATE = """() => ["#state .word", "#notice:not([hidden])", "#state .age"].map((name) =>
    document.querySelector(name)?.textContent ?? "")"""


@dataclass(frozen=True, slots=True)
class Complaints:
    """What a page must not do; a test that causes some checks them and clears them."""

    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def note_message(self, message: ConsoleMessage) -> None:
        # On a busy machine ClickHouse may not answer /health in time, until the next request.
        is_late = "503" in message.text and urlsplit(message.location["url"]).path == "/health"
        if message.type in ("error", "warning") and not is_late:
            self.console.append(message.text)

    def note_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            self.foreign.append(request.url)


def store(client: Client, *ticks: tuple[str, float, float]) -> None:
    """Store ticks: symbol, price, age in seconds."""
    now = (datetime.now(UTC) - DAY).total_seconds()
    insert(client, [(each, price, 10, now - age, next(_offsets)) for each, price, age in ticks])


def store_minute(client: Client, symbols: Iterable[str]) -> None:
    """A minute of ticks of each, from 100 on: enough for a line, candles and a day's range."""
    ticks = [
        (symbol, 100 + (at + age // 6) % 5, age + at / 1000)
        for at, symbol in enumerate(symbols)
        for age in range(60, 0, -6)
    ]
    store(client, *ticks)


def report_job(client: Client) -> None:
    """Report for the next hour that the job is running."""
    now = datetime.now(UTC)
    row = ["stocks", now + timedelta(hours=1), "RUNNING", "", now, [("stock-ticks", 0, 7)], True]
    client.insert("stocks.job_status", [row], column_names=STATUS)


def open_page(page: Page, api: Api, query: str = "") -> None:
    page.goto(f"http://127.0.0.1:{api.port}/{query}")


def open_live(page: Page, api: Api, query: str = "") -> None:
    """Open the dashboard and wait until its parts have loaded and the stream is open."""
    open_page(page, api, query)
    expect(page.locator("html")).not_to_have_attribute("data-state", "connecting")
    expect(page.locator("#legend .pair b").first).not_to_be_empty()
    expect(rows(page).first).to_be_visible()


def addressed(page: Page, query: str) -> None:
    """Wait for the query of the page's address."""
    expect(page).to_have_url(re.compile(f"/{re.escape(query)}$"))


def card(page: Page, symbol: str) -> Locator:
    return page.locator(f'.card[data-symbol="{symbol}"]')


def price(page: Page, symbol: str) -> Locator:
    return card(page, symbol).locator(".price")


def rows(page: Page) -> Locator:
    """The rows of the ticks table that hold a tick."""
    return page.locator("#ticks tbody tr:not(.room):not([hidden])")


def legend(page: Page, name: str) -> Locator:
    """A value in the line above the chart."""
    pair = page.locator("#legend .pair", has=page.get_by_text(name, exact=True))
    return pair.locator("b")


def series(page: Page) -> list[dict[str, Any]]:
    """The series of the chart; empty before it draws any."""
    return list(page.evaluate(SERIES))


def drawn(page: Page) -> dict[str, Any]:
    """The first series of the chart; without data before it draws any."""
    return next(iter(series(page)), {"type": None, "name": None, "data": []})


def becomes_live(page: Page, client: Client, symbol: str, price: float) -> None:
    """Wait until the page shows that all is well. If that takes so long that the page misses new
    ticks, store one."""

    def is_live() -> bool:
        word, text, age = page.evaluate(STATE)
        if word == "No new ticks":
            store(client, (symbol, price, 0))
        return bool((word, text, age) == ("Live", "", ""))

    wait_until(is_live)


def leave(page: Page, complaints: Complaints) -> None:
    """Leave the page, and allow only what the browser itself logs about a failed request."""
    page.goto("about:blank")
    assert [each for each in complaints.console if "Failed to load resource" not in each] == []
    complaints.console.clear()
