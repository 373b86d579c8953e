"""The dashboard while all is well: its parts together."""

import re

from clickhouse_connect.driver.client import Client
from playwright.sync_api import Page, expect

from tests.api.support import Api
from tests.browser.support import (
    addressed,
    becomes_live,
    card,
    drawn,
    legend,
    open_live,
    open_page,
    price,
    rows,
    store,
)
from tests.conftest import wait_until


def test_the_first_tick_appears_by_itself(page: Page, api: Api, running: Client) -> None:
    open_page(page, api)
    empty = page.locator("#empty")
    expect(empty).to_contain_text("make produce")
    expect(page.locator("#state .word")).to_have_text("No ticks yet")
    expect(page.locator("#selection")).to_be_hidden()
    store(running, ("AAPL", 100.0, 0))
    expect(price(page, "AAPL")).to_have_text("100.00")
    expect(empty).to_be_hidden()
    expect(rows(page)).to_have_count(1)
    becomes_live(page, running, "AAPL", 100.0)


def test_what_is_stored_is_shown(wide: Page, api: Api, ticks: Client) -> None:
    open_page(wide, api)
    expect(price(wide, "AAPL")).to_have_text("101.00")
    expect(wide.locator(".card")).to_have_count(3)
    expect(wide.locator("#selection .symbol")).to_have_text("AAPL")
    expect(wide.locator("[data-meter=lag] b")).to_have_text("7")
    expect(wide.locator("#stats tbody .ticks")).to_have_text("11")
    expect(wide).to_have_title(re.compile(r"^AAPL 101\.00 .*% · Millrace$"))
    becomes_live(wide, ticks, "AAPL", 101.0)


def test_a_tick_changes_every_part(wide: Page, api: Api, running: Client) -> None:
    store(running, ("AAPL", 100.0, 0.2))
    open_live(wide, api, "?interval=1m")
    store(running, ("AAPL", 101.5, 0))
    expect(price(wide, "AAPL")).to_have_text("101.50")
    expect(price(wide, "AAPL")).to_have_attribute("data-move", "up")
    expect(card(wide, "AAPL").locator(".change")).to_have_text("+1.50")
    expect(card(wide, "AAPL")).to_have_attribute("data-direction", "up")
    expect(wide.locator("#selection .quote .price")).to_have_text("101.50")
    expect(legend(wide, "C")).to_have_text("101.50")
    # Open, close, low, high after the start.
    wait_until(lambda: [each[2] for each in drawn(wide)["data"][-1:]] == [101.5])
    expect(rows(wide).first).to_contain_text("▲101.50")
    store(running, ("AAPL", 98.25, 0))
    expect(price(wide, "AAPL")).to_have_attribute("data-move", "down")
    expect(card(wide, "AAPL").locator(".change")).to_have_text("\u22121.75")
    expect(legend(wide, "C")).to_have_text("98.25")
    expect(rows(wide).locator("td:nth-child(3)")).to_have_text(["▼98.25", "▲101.50", "100.00"])
    expect(wide).to_have_title(re.compile(r"^AAPL 98\.25 "))


def test_everything_works_by_keyboard(wide: Page, api: Api, ticks: Client) -> None:
    open_live(wide, api)
    wide.keyboard.press("f")
    expect(wide.get_by_label("Find a symbol")).to_be_focused()
    for key in ["Tab", "Tab", "ArrowDown", "Enter"]:
        wide.keyboard.press(key)
    expect(wide.locator("#selection .symbol")).to_have_text("MSFT")
    for key in ["ArrowDown", "Shift+Enter"]:
        wide.keyboard.press(key)
    addressed(wide, "?symbols=MSFT,TSLA")
    for key in ["5", "Escape", "p"]:
        wide.keyboard.press(key)
    expect(wide.get_by_label("1h", exact=True)).to_be_checked()
    expect(wide.locator("#pause")).to_have_attribute("aria-pressed", "true")
    expect(wide.locator("#legend .head")).to_contain_text("· 1h · change")
    wide.locator("#chart").focus()
    wide.keyboard.press("Home")
    announcement = re.compile(r"· 1h · change since .*: MSFT .*%, TSLA .*%$")
    expect(wide.locator("#chart-announcement")).to_have_text(announcement)
