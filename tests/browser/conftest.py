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
from tests.browser.support import Complaints, report_job

__all__ = ["api", "make_api", "server", "tables"]
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


# Not for the session: while Playwright runs, no other test may call asyncio.run in this process.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium; without it the tests are skipped, and where CI is set they fail."""
    if shutil.which("chromium") is None:
        go_without("chromium: not on PATH; the pages are not tested: apt-get install chromium")
    with chromium() as found:
        yield found


def go_without(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def page(browser: Browser, complaints: Complaints) -> Iterator[Page]:
    """An empty tab; in the end it must have logged no error and asked no other machine."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    found = context.new_page()
    # Not the methods themselves: Playwright would set attributes on what they belong to.
    found.on("console", lambda message: complaints.note_message(message))
    found.on("pageerror", lambda error: complaints.errors.append(str(error)))
    found.on("request", lambda request: complaints.note_request(request))
    yield found
    context.close()
    assert complaints == Complaints()


@pytest.fixture
def running(tables: Client) -> Client:
    """Empty tables, and a job that runs."""
    report_job(tables)
    return tables
