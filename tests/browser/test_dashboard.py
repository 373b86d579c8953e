"""The dashboard while all is well: what it shows, what a tick changes, what one can choose."""

import re
from collections.abc import Callable

import pytest
from clickhouse_connect.driver.client import Client
from playwright.sync_api import Page, expect

from tests.api.support import Api
from tests.browser.support import (
    becomes_live,
    card,
    drawn,
    legend,
    open_live,
    open_page,
    price,
    rows,
    series,
    store,
    store_minute,
)
from tests.conftest import wait_until


@pytest.fixture
def ticks(running: Client) -> Client:
    """Ticks of three symbols, the newest of AAPL at 101."""
    store_minute(running, ["AAPL", "MSFT", "TSLA"])
    store(running, ("AAPL", 101.0, 0.5))
    return running


# Where the ends of what is shown stand on the axis of prices and on that of volume, in pixels.
PLACES = """async () => {
    const { getInstanceByDom } = await import("/assets/echarts.esm.min.js");
    const chart = getInstanceByDom(document.querySelector("#chart"));
    const { startValue, endValue } = chart.getOption().dataZoom[0];
    return [startValue, endValue].map((at) =>
        [0, 1].map((xAxisIndex) => chart.convertToPixel({ xAxisIndex }, at)));
}"""


@pytest.fixture
def wide(page: Page) -> Page:
    """A tab in which every part is on screen."""
    page.set_viewport_size({"width": 1440, "height": 900})
    return page


def addressed(page: Page, query: str) -> None:
    """Wait for the query of the page's address."""
    expect(page).to_have_url(re.compile(f"/{re.escape(query)}$"))


def test_what_is_stored_is_shown(wide: Page, api: Api, ticks: Client) -> None:
    open_page(wide, api)
    expect(price(wide, "AAPL")).to_have_text("101.00")
    expect(wide.locator(".card")).to_have_count(3)
    expect(wide.locator("#chosen .symbol")).to_have_text("AAPL")
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
    expect(wide.locator("#chosen .quote .price")).to_have_text("101.50")
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


def test_a_symbol_that_is_new_gets_a_card(wide: Page, api: Api, ticks: Client) -> None:
    open_live(wide, api)
    store(ticks, ("AMD", 7.0, 0))
    expect(price(wide, "AMD")).to_have_text("7.00")
    names = wide.locator(".card .symbol")
    expect(names).to_have_text(["AAPL", "AMD", "MSFT", "TSLA"])


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


def test_a_symbol_is_chosen_by_mouse(wide: Page, api: Api, ticks: Client) -> None:
    open_live(wide, api)
    card(wide, "MSFT").locator(".choose").click()
    expect(wide.locator("#chosen .symbol")).to_have_text("MSFT")
    expect(wide.locator("#stats tbody .symbol")).to_have_text(["MSFT"])
    rows(wide).filter(has_text="TSLA").first.click()
    expect(wide.locator("#chosen .symbol")).to_have_text("TSLA")
    expect(card(wide, "TSLA").locator(".choose")).to_have_attribute("aria-pressed", "true")
    expect(card(wide, "MSFT").locator(".choose")).to_have_attribute("aria-pressed", "false")


def test_everything_works_by_keyboard(wide: Page, api: Api, ticks: Client) -> None:
    open_live(wide, api)
    wide.keyboard.press("f")
    expect(wide.get_by_label("Find a symbol")).to_be_focused()
    for key in ["Tab", "Tab", "ArrowDown", "Enter"]:
        wide.keyboard.press(key)
    expect(wide.locator("#chosen .symbol")).to_have_text("MSFT")
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
    said = re.compile(r"· 1h · change since .*: MSFT .*%, TSLA .*%$")
    expect(wide.locator("#chart-said")).to_have_text(said)


def test_interval_range_and_type_change_the_chart(wide: Page, api: Api, ticks: Client) -> None:
    open_live(wide, api, "?interval=1s&range=5m")
    wait_until(lambda: len(drawn(wide)["data"]) == 11)
    wide.get_by_text("1h", exact=True).click()
    wait_until(lambda: 1 <= len(drawn(wide)["data"]) <= 2)
    wide.locator("[data-choice=range]").get_by_text("1 day").click()
    wide.get_by_text("Line", exact=True).click()
    wait_until(lambda: drawn(wide)["type"] == "line")
    addressed(wide, "?symbols=AAPL&interval=1h&range=1d&type=line")
    # What is coarser than asked for is said.
    wide.get_by_text("1s", exact=True).click()
    expect(wide.locator("#legend .head")).to_contain_text("(1s is too fine for this range)")


def test_two_symbols_are_compared(wide: Page, api: Api, ticks: Client) -> None:
    open_live(wide, api)
    card(wide, "TSLA").hover()
    wide.get_by_label("Compare TSLA").click()
    wait_until(lambda: [each["name"] for each in series(wide)[:2]] == ["AAPL", "TSLA"])
    expect(legend(wide, "TSLA")).to_have_text(re.compile("%$"))
    expect(wide.locator("#stats tbody .symbol")).to_have_text(["AAPL", "TSLA"])
    wide.get_by_label("Remove AAPL").click()
    expect(wide.locator("#chosen .symbol")).to_have_text("TSLA")
    wait_until(lambda: drawn(wide)["type"] == "candlestick")


def test_an_address_gives_the_same_view_again(wide: Page, api: Api, ticks: Client) -> None:
    query = "?symbols=TSLA,MSFT&interval=1m&range=1h&type=line&window=6h&filter=tsl&find=S"
    open_live(wide, api)
    for go in (lambda: open_live(wide, api, query), wide.reload):
        go()
        expect(wide.locator(".chip")).to_have_text(["TSLA", "MSFT"])
        chosen = wide.locator("input[type=radio]:checked")
        assert chosen.evaluate_all("all => all.map((one) => one.value).sort().join()") == (
            "1h,1m,6h,line,name"
        )
        expect(wide.get_by_label("Filter ticks")).to_have_value("tsl")
        expect(wide.locator(".card:not([hidden]) .symbol")).to_have_text(["MSFT", "TSLA"])
        expect(rows(wide).first).to_be_visible()
        expect(rows(wide).filter(has_not_text="TSLA")).to_have_count(0)
        addressed(wide, query)


def test_an_unknown_address_falls_back(wide: Page, api: Api, ticks: Client) -> None:
    query = "?symbols=NONE,%3Cb%3E,MSFT,NONE&interval=7s&range=x&type=pie&window=&filter=%00"
    open_page(wide, api, query)
    expect(wide.locator("#chosen .symbol")).to_have_text("MSFT")
    chosen = wide.locator("input[type=radio]:checked")
    assert chosen.evaluate_all("all => all.map((one) => one.value).sort().join()") == (
        "15m,1h,5s,candles,name"
    )
    addressed(wide, "?symbols=MSFT&filter=%00")


def test_symbols_are_what_the_setting_says(
    make_api: Callable[..., Api], wide: Page, running: Client
) -> None:
    store_minute(running, ["^GSPC", "BF/B", "eur-usd"])
    api = make_api(ticks__symbol_pattern="[A-Za-z0-9^/.-]{1,16}")
    api.start()
    open_live(wide, api, "?symbols=^GSPC,bf/b,eur-usd")
    addressed(wide, "?symbols=%5EGSPC,BF%2FB,eur-usd")
    expect(wide.locator("#chosen .symbol")).to_have_text("^GSPC")
    names = ["^GSPC", "BF/B", "eur-usd"]
    wait_until(lambda: [each["name"] for each in series(wide)][:3] == names)
    store(running, ("BF/B", 321.0, 0), ("eur-usd", 123.0, 0))
    expect(price(wide, "BF/B")).to_have_text("321.00")
    wide.locator("#find").fill("EUR")
    expect(wide.locator(".card:visible")).to_have_count(1)
    expect(price(wide, "eur-usd")).to_have_text("123.00")


def test_the_table_stands_still_while_it_is_paused(wide: Page, api: Api, ticks: Client) -> None:
    open_live(wide, api)
    said = wide.locator("#ticks .paused")
    expect(rows(wide).first).to_contain_text("101.00")
    wide.get_by_role("button", name="Pause").click()
    store(ticks, ("AAPL", 103.0, 0), ("TSLA", 104.0, 0))
    expect(said).to_have_text("paused, 2 new")
    expect(rows(wide).first).to_contain_text("101.00")
    wide.get_by_role("button", name="Pause").click()
    expect(said).to_be_hidden()
    expect(rows(wide).locator(".price").nth(1)).to_have_text("103.00")
    rows(wide).nth(3).hover()
    store(ticks, ("AAPL", 105.0, 0))
    expect(said).to_have_text("paused, 1 new")
    expect(rows(wide).first).not_to_contain_text("105.00")
    wide.locator("#strip").hover()
    expect(rows(wide).first).to_contain_text("105.00")


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


def test_volume_stands_below_its_candle(wide: Page, api: Api, ticks: Client) -> None:
    open_live(wide, api, "?interval=5s")
    wait_until(lambda: len(series(wide)) > 1)
    for price_at, volume_at in wide.evaluate(PLACES):
        assert abs(price_at - volume_at) < 0.5
