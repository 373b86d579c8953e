"""The view that the address holds."""

from collections.abc import Callable

from clickhouse_connect.driver.client import Client
from playwright.sync_api import Page, expect

from tests.api.support import Api
from tests.browser.support import (
    addressed,
    open_live,
    open_page,
    price,
    rows,
    series,
    store,
    store_minute,
)
from tests.conftest import wait_until


def choices(page: Page) -> list[str]:
    """The selected choices of charts, cards and ticks, sorted."""
    selected = page.locator("input[type=radio]:checked:not(#dead-letters *)")
    return sorted(selected.evaluate_all("all => all.map((one) => one.value)"))


def test_an_address_gives_the_same_view_again(wide: Page, api: Api, ticks: Client) -> None:
    query = "?symbols=TSLA,MSFT&interval=1m&range=1h&type=line&window=6h&filter=tsl&find=S"
    open_live(wide, api)
    for go in (lambda: open_live(wide, api, query), wide.reload):
        go()
        expect(wide.locator(".chip")).to_have_text(["TSLA", "MSFT"])
        assert choices(wide) == ["1h", "1m", "6h", "line", "name"]
        expect(wide.get_by_label("Filter ticks")).to_have_value("tsl")
        expect(wide.locator(".card:not([hidden]) .symbol")).to_have_text(["MSFT", "TSLA"])
        expect(rows(wide).first).to_be_visible()
        expect(rows(wide).filter(has_not_text="TSLA")).to_have_count(0)
        addressed(wide, query)


def test_an_unknown_address_gives_the_defaults(wide: Page, api: Api, ticks: Client) -> None:
    query = "?symbols=NONE,%3Cb%3E,MSFT,NONE&interval=7s&range=x&type=pie&window=&filter=%00"
    open_page(wide, api, query)
    expect(wide.locator("#selection .symbol")).to_have_text("MSFT")
    assert choices(wide) == ["15m", "1h", "5s", "candles", "name"]
    addressed(wide, "?symbols=MSFT&filter=%00")


def test_symbols_match_the_pattern_of_the_setting(
    make_api: Callable[..., Api], wide: Page, running: Client
) -> None:
    store_minute(running, ["^GSPC", "BF/B", "eur-usd"])
    api = make_api(ticks__symbol_pattern="[A-Za-z0-9^/.-]{1,16}")
    api.start()
    open_live(wide, api, "?symbols=^GSPC,bf/b,eur-usd")
    addressed(wide, "?symbols=%5EGSPC,BF%2FB,eur-usd")
    expect(wide.locator("#selection .symbol")).to_have_text("^GSPC")
    names = ["^GSPC", "BF/B", "eur-usd"]
    wait_until(lambda: [each["name"] for each in series(wide)][:3] == names)
    store(running, ("BF/B", 321.0, 0), ("eur-usd", 123.0, 0))
    expect(price(wide, "BF/B")).to_have_text("321.00")
    wide.locator("#find").fill("EUR")
    expect(wide.locator(".card:visible")).to_have_count(1)
    expect(price(wide, "eur-usd")).to_have_text("123.00")
