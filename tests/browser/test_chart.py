"""The chart: its interval, range and type, and the comparison of symbols."""

import re

from clickhouse_connect.driver.client import Client
from playwright.sync_api import Page, expect

from tests.api.support import Api
from tests.browser.support import addressed, card, drawn, legend, open_live, series
from tests.conftest import wait_until

# The ends of the visible range on the axis of prices and on that of volume, in pixels.
PLACES = """async () => {
    const { getInstanceByDom } = await import("/assets/echarts.esm.min.js");
    const chart = getInstanceByDom(document.querySelector("#chart"));
    const { startValue, endValue } = chart.getOption().dataZoom[0];
    return [startValue, endValue].map((at) =>
        [0, 1].map((xAxisIndex) => chart.convertToPixel({ xAxisIndex }, at)));
}"""


def test_interval_range_and_type_change_the_chart(wide: Page, api: Api, ticks: Client) -> None:
    open_live(wide, api, "?interval=1s&range=5m")
    wait_until(lambda: len(drawn(wide)["data"]) == 11)
    wide.get_by_text("1h", exact=True).click()
    wait_until(lambda: 1 <= len(drawn(wide)["data"]) <= 2)
    wide.locator("[data-choice=range]").get_by_text("1 day").click()
    wide.get_by_text("Line", exact=True).click()
    wait_until(lambda: drawn(wide)["type"] == "line")
    addressed(wide, "?symbols=AAPL&interval=1h&range=1d&type=line")
    # The legend reports an interval that is coarser than the requested one.
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
    expect(wide.locator("#selection .symbol")).to_have_text("TSLA")
    wait_until(lambda: drawn(wide)["type"] == "candlestick")


def test_volume_is_below_its_candle(wide: Page, api: Api, ticks: Client) -> None:
    open_live(wide, api, "?interval=5s")
    wait_until(lambda: len(series(wide)) > 1)
    for price_at, volume_at in wide.evaluate(PLACES):
        assert abs(price_at - volume_at) < 0.5
