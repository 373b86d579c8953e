"""The table of ticks."""

from clickhouse_connect.driver.client import Client
from playwright.sync_api import Page, expect

from tests.api.support import Api
from tests.browser.support import addressed, open_live, rows, store


def test_the_ticks_can_be_filtered(wide: Page, api: Api, ticks: Client) -> None:
    open_live(wide, api)
    wide.get_by_label("Filter ticks").fill("tsl, ms")
    expect(rows(wide)).to_have_count(20)
    expect(rows(wide).locator(".symbol").filter(has_text="AAPL")).to_have_count(0)
    store(ticks, ("AAPL", 1.0, 0), ("TSLA", 2.0, 0))
    expect(rows(wide).first).to_contain_text("2.00")
    expect(rows(wide)).to_have_count(21)
    wide.get_by_label("Filter ticks").fill("none")
    expect(wide.locator("#ticks .empty")).to_have_text("No symbol has “none” in its name.")
    addressed(wide, "?symbols=AAPL&filter=none")


def test_the_table_is_frozen_while_it_is_paused(wide: Page, api: Api, ticks: Client) -> None:
    open_live(wide, api)
    paused = wide.locator("#ticks .paused")
    expect(rows(wide).first).to_contain_text("101.00")
    wide.get_by_role("button", name="Pause").click()
    store(ticks, ("AAPL", 103.0, 0), ("TSLA", 104.0, 0))
    expect(paused).to_have_text("paused, 2 new")
    expect(rows(wide).first).to_contain_text("101.00")
    wide.get_by_role("button", name="Pause").click()
    expect(paused).to_be_hidden()
    expect(rows(wide).locator(".price").nth(1)).to_have_text("103.00")
    rows(wide).nth(3).hover()
    store(ticks, ("AAPL", 105.0, 0))
    expect(paused).to_have_text("paused, 1 new")
    expect(rows(wide).first).not_to_contain_text("105.00")
    wide.locator("#strip").hover()
    expect(rows(wide).first).to_contain_text("105.00")
