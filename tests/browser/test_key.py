"""The dashboard of an API that requires a key."""

from collections.abc import Callable

from clickhouse_connect.driver.client import Client
from playwright.sync_api import Page, expect

from tests.api.support import Api
from tests.browser.support import (
    Complaints,
    becomes_live,
    card,
    leave,
    open_page,
    price,
    rows,
    store,
    store_minute,
)

KEY = "0123456789abcdef"
ONE = "fedcba9876543210"


def enter(page: Page, key: str) -> None:
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Continue").click()


def test_it_prompts_for_the_key(
    page: Page, complaints: Complaints, make_api: Callable[..., Api], running: Client
) -> None:
    store(running, ("AAPL", 100.0, 1))
    api = make_api(api__keys=f"{{me: {{key: {KEY}}}}}")
    api.start()
    open_page(page, api)
    expect(page.locator("#key")).to_be_visible()
    expect(page.locator("#key [role=alert]")).to_be_empty()
    enter(page, "wrong")
    expect(page.locator("#key [role=alert]")).to_have_text("This key was not accepted.")
    expect(page.locator(".card:not(.ghost)")).to_have_count(0)
    enter(page, KEY)
    expect(price(page, "AAPL")).to_have_text("100.00")
    expect(page.locator("#key")).to_be_hidden()
    store(running, ("AAPL", 101.0, 0))
    expect(price(page, "AAPL")).to_have_text("101.00")
    page.reload()
    expect(price(page, "AAPL")).to_have_text("101.00")
    assert {text.partition("status of ")[2][:3] for text in complaints.console} == {"401"}
    leave(page, complaints)


def test_a_key_restricted_to_a_symbol_shows_only_that_symbol(
    page: Page, complaints: Complaints, make_api: Callable[..., Api], running: Client
) -> None:
    store_minute(running, ["AAPL", "MSFT"])
    api = make_api(api__keys=f"{{one: {{key: {ONE}, only: {{symbols: [AAPL]}}}}}}")
    api.start()
    page.clock.install()
    open_page(page, api, "?symbols=MSFT")
    enter(page, ONE)
    expect(page.locator(".card .symbol")).to_have_text(["AAPL"])
    expect(page.locator("#selection .symbol")).to_have_text("AAPL")
    expect(rows(page)).to_have_count(10)
    store(running, ("MSFT", 7.0, 0), ("AAPL", 101.5, 0))
    expect(price(page, "AAPL")).to_have_text("101.50")
    expect(rows(page)).to_have_count(11)
    expect(card(page, "MSFT")).to_have_count(0)
    expect(page.locator("[data-meter=lag] b")).to_have_text("?")
    becomes_live(page, running, "AAPL", 101.5)
    # It is not requested again.
    with page.expect_response("**/health"):
        page.clock.run_for(6_000)
    forbidden = [text for text in complaints.console if "403" in text]
    assert len(forbidden) == 1
    leave(page, complaints)
