"""The cards of the symbols."""

from clickhouse_connect.driver.client import Client
from playwright.sync_api import Page, expect

from tests.api.support import Api
from tests.browser.support import addressed, card, open_live, price, rows, store
from tests.conftest import wait_until


def test_a_new_symbol_gets_a_card(wide: Page, api: Api, ticks: Client) -> None:
    open_live(wide, api)
    store(ticks, ("AMD", 7.0, 0))
    expect(price(wide, "AMD")).to_have_text("7.00")
    names = wide.locator(".card .symbol")
    expect(names).to_have_text(["AAPL", "AMD", "MSFT", "TSLA"])


def test_a_symbol_is_selected_by_mouse(wide: Page, api: Api, ticks: Client) -> None:
    open_live(wide, api)
    card(wide, "MSFT").locator(".select").click()
    expect(wide.locator("#selection .symbol")).to_have_text("MSFT")
    expect(wide.locator("#stats tbody .symbol")).to_have_text(["MSFT"])
    rows(wide).filter(has_text="TSLA").first.click()
    expect(wide.locator("#selection .symbol")).to_have_text("TSLA")
    expect(card(wide, "TSLA").locator(".select")).to_have_attribute("aria-pressed", "true")
    expect(card(wide, "MSFT").locator(".select")).to_have_attribute("aria-pressed", "false")


def test_cards_are_sorted_by_name_or_change(wide: Page, api: Api, running: Client) -> None:
    store(running, *((name, 100.0, 1) for name in ["A", "B", "C"]))
    store(running, ("A", 99.0, 0), ("B", 100.0, 0), ("C", 103.0, 0))
    open_live(wide, api)
    names = wide.locator(".card .symbol")
    expect(names).to_have_text(["A", "B", "C"])
    wide.get_by_text("By change").click()
    expect(names).to_have_text(["C", "B", "A"])
    store(running, ("A", 110.0, 0))
    expect(names).to_have_text(["A", "C", "B"])
    addressed(wide, "?symbols=A&sort=change")


def test_of_many_symbols_only_those_on_screen_are_drawn(
    wide: Page, api: Api, running: Client
) -> None:
    store(running, *((f"S{number:03}", 100.0 + number, 1) for number in range(500)))
    open_live(wide, api)
    expect(wide.locator(".card")).to_have_count(500)
    written = wide.locator(".card .price:not(:empty)")
    expect(price(wide, "S000")).to_have_text("100.00")
    wait_until(lambda: written.count() >= 3)
    assert written.count() <= 40
    price(wide, "S499").scroll_into_view_if_needed()
    expect(price(wide, "S499")).to_have_text("599.00")
    assert written.count() <= 80
    wide.get_by_label("Find a symbol").fill("s12")
    expect(wide.locator(".card:not([hidden])")).to_have_count(10)
    expect(wide.locator("#cards .count")).to_have_text("10 of 500")
    expect(price(wide, "S125")).to_have_text("225.00")
