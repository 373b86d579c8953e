"""The API's pages in a real browser: Debian's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from bench.browser import chromium
from tests.api.conftest import api, make_api, server, tables

__all__ = ["api", "make_api", "server", "tables"]


@dataclass(frozen=True, slots=True)
class Complaints:
    """What a page must not do; a test that provokes some looks at them and clears them."""

    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.console.append(message.text)

    def note_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            self.foreign.append(request.url)


# Not for the session: while Playwright runs, no other test may call asyncio.run in this process.
@pytest.fixture(scope="module")
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
    context.set_default_timeout(15_000)
    found = context.new_page()
    # Not the methods themselves: Playwright would set attributes on what they belong to.
    found.on("console", lambda message: complaints.note_message(message))
    found.on("pageerror", lambda error: complaints.errors.append(str(error)))
    found.on("request", lambda request: complaints.note_request(request))
    yield found
    context.close()
    assert complaints == Complaints()
