"""The API's pages in a real browser: Debian's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from typing import NoReturn

import pytest
from clickhouse_connect.driver.client import Client
from playwright.sync_api import Browser, Page, expect

from bench.browser import chromium
from tests.api.conftest import api, make_api, server, tables
from tests.browser.support import Complaints, report_job, store, store_minute

__all__ = ["api", "make_api", "server", "tables"]
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


# Not for the session: while Playwright runs, no other test may call asyncio.run in this process.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium; without it the tests are skipped, or fail if CI is set."""
    if shutil.which("chromium") is None:
        skip("chromium: not on PATH; the pages are not tested: apt-get install chromium")
    with chromium() as browser:
        yield browser


def skip(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def page(browser: Browser, complaints: Complaints) -> Iterator[Page]:
    """An empty tab; at the end it must have logged no error and called no other machine."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    # Not the methods themselves: Playwright would set attributes on their object.
    page.on("console", lambda message: complaints.note_message(message))
    page.on("pageerror", lambda error: complaints.errors.append(str(error)))
    page.on("request", lambda request: complaints.note_request(request))
    yield page
    context.close()
    assert complaints == Complaints()


@pytest.fixture
def running(tables: Client) -> Client:
    """Empty tables, and a running job."""
    report_job(tables)
    return tables


@pytest.fixture
def ticks(running: Client) -> Client:
    """Ticks of three symbols, the newest of AAPL at 101."""
    store_minute(running, ["AAPL", "MSFT", "TSLA"])
    store(running, ("AAPL", 101.0, 0.5))
    return running


@pytest.fixture
def wide(page: Page) -> Page:
    """A tab in which every part is on screen."""
    page.set_viewport_size({"width": 1440, "height": 900})
    return page
