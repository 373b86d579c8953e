"""The dashboard when a part is unavailable: it reports which, and loses no tick."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from playwright.sync_api import Page, Route, expect

from tests.api.support import Api, migrated
from tests.browser.support import (
    Complaints,
    becomes_live,
    leave,
    legend,
    open_live,
    open_page,
    price,
    report_job,
    rows,
    series,
    store,
)
from tests.conftest import Server, wait_until

# Enough for the time that an API takes to start; fewer than the table keeps.
MOST = 90
_numbers = count(1)


@contextmanager
def storing(server: Server) -> Iterator[None]:
    """Store ticks one by one while the block runs, each with its own price."""
    client, ending = migrated(server), threading.Event()

    def store_all() -> None:
        for _ in range(MOST):
            store(client, ("AAPL", 100 + next(_numbers) / 100, 0))
            if ending.wait(0.1):
                return

    thread = threading.Thread(target=store_all)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()
        client.close()


def wait_until_complete(page: Page, api: Api) -> None:
    """Wait until the table has the stored ticks, each once and the newest first."""
    stored = [f"{row['price']:.2f}" for row in api.rows("/api/recent", limit=1000)]
    assert len(stored) < 200
    expect(rows(page).locator(".price")).to_have_text(stored)
    expect(legend(page, "C")).to_have_text(stored[0])
    wait_until(lambda: volume(page) == 10 * len(stored))


def volume(page: Page) -> float:
    """The volume of all candles in the chart."""
    return sum(value for each in series(page)[1:] for _, value in each["data"])


@pytest.fixture
def tall(page: Page) -> Page:
    """A tab in which the whole table of ticks is on screen."""
    page.set_viewport_size({"width": 1440, "height": 2800})
    return page


def restart(
    page: Page,
    make_api: Callable[..., Api],
    server: Server,
    while_down: Callable[[], object] = lambda: None,
) -> Api:
    """Open the dashboard and restart its API while ticks arrive; return the new API when the page
    has connected to it."""
    first = make_api()
    with storing(server):
        first.start()
        open_live(page, first)
        first.stop()
        expect(page.locator("#state .word")).to_have_text("Reconnecting")
        expect(page.locator("#notice")).to_contain_text("Reconnecting.")
        while_down()
        second = make_api(api__port=first.port)
        second.start()
        expect(page.locator("#state .word")).not_to_have_text("Reconnecting")
    return second


def test_no_tick_is_lost_or_doubled_when_the_api_restarts(
    tall: Page,
    complaints: Complaints,
    make_api: Callable[..., Api],
    server: Server,
    running: object,
) -> None:
    wait_until_complete(tall, restart(tall, make_api, server))
    leave(tall, complaints)


def test_it_reports_that_the_network_is_missing(page: Page, api: Api, running: Client) -> None:
    store(running, ("AAPL", 100.0, 1))
    open_live(page, api)
    page.context.set_offline(True)
    expect(page.locator("#state .word")).to_have_text("Offline")
    expect(page.locator("#notice")).to_contain_text("no network")
    page.context.set_offline(False)
    becomes_live(page, running, "AAPL", 100.0)


def test_after_a_long_gap_everything_is_loaded_again(
    tall: Page,
    complaints: Complaints,
    make_api: Callable[..., Api],
    server: Server,
    running: object,
) -> None:
    requested: list[str] = []
    tall.on("request", lambda request: requested.append(request.url))
    tall.clock.install()

    def skip_two_minutes() -> None:
        tall.clock.fast_forward("02:00")
        requested.clear()

    wait_until_complete(tall, restart(tall, make_api, server, skip_two_minutes))
    assert any("/api/recent" in url for url in requested)
    leave(tall, complaints)


def test_a_repeated_tick_is_shown_once_and_an_unknown_id_is_survived(
    page: Page, complaints: Complaints, api: Api, running: Client
) -> None:
    now = datetime.now(UTC)
    stored = {"symbol": "AAPL", "volume": 10, "inserted_by": "test", "kafka_partition": 0}
    times = [(now + timedelta(milliseconds=n)).isoformat() for n in range(2)]
    first, second = (
        {**stored, "price": 101.0 + n, "timestamp": times[n], "kafka_offset": str(2**62 + n)}
        for n in range(2)
    )
    # The id at the end of each response, and its rows; the third is an error.
    answers = [("1", [first]), ("2", [first, second]), None, ("3", [])]
    requested: list[str | None] = []

    def answer(route: Route) -> None:
        requested.append(route.request.headers.get("last-event-id"))
        end = answers.pop(0) if len(answers) > 1 else answers[0]
        if end is None:
            # The page misses this tick.
            store(running, ("AAPL", 104.0, 0))
            route.fulfill(status=400, json={"detail": "no such id"})
        else:
            event = f"id: {end[0]}\ndata: {json.dumps(end[1])}\n\n"
            route.fulfill(content_type="text/event-stream", body=event)

    store(running, ("AAPL", 100.0, 1))
    page.route("**/api/stream", answer)
    open_page(page, api)
    expect(rows(page).locator(".price")).to_have_text(["104.00", "102.00", "101.00", "100.00"])
    assert requested[:4] == [None, "1", "2", None]
    leave(page, complaints)


def test_it_reports_that_clickhouse_is_down_and_recovers(
    page: Page, complaints: Complaints, mortal: Server, tmp_path: Path
) -> None:
    client = migrated(mortal)
    report_job(client)
    store(client, ("AAPL", 100.0, 1))
    client.close()
    api = Api(tmp_path / "api", mortal.settings)
    try:
        api.start()
        open_live(page, api)
        mortal.kill()
        expect(page.locator("#state .word")).to_have_text("ClickHouse down")
        expect(page.locator("#notice")).to_contain_text("make up")
        expect(page.locator("#state .age")).to_have_text(re.compile(r"^data \d.* old$"))
        expect(page.locator("html")).to_have_attribute("data-state", "down")
        late = page.context.new_page()
        open_page(late, api)
        expect(late.locator("#state .word")).to_have_text("ClickHouse down")
        expect(late.locator("#empty")).to_be_hidden()
        mortal.start()
        client = migrated(mortal)
        store(client, ("AAPL", 102.0, 0))
        for each in (page, late):
            each.bring_to_front()
            expect(price(each, "AAPL")).to_have_text("102.00")
            expect(rows(each)).to_have_count(2)
        for each in (page, late):
            each.bring_to_front()
            becomes_live(each, client, "AAPL", 102.0)
        late.close()
        leave(page, complaints)
    finally:
        client.close()
        api.stop()
