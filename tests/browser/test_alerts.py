"""Alerts on the dashboard: their number, their list, and the mark in the chart."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from playwright.sync_api import Locator, Page, expect

from tests.api.alerts import add_alert
from tests.api.support import COLUMNS, Api
from tests.browser.support import open_live
from tests.browser.test_accessibility import axed, violations
from tests.browser.test_dead_letters import PLACES
from tests.conftest import wait_until

__all__ = ["axed"]
MARKS = """async () => {
    const { getInstanceByDom } = await import("/assets/echarts.esm.min.js");
    const drawn = getInstanceByDom(document.querySelector("#chart"))?.getOption()?.series ?? [];
    return (drawn[0]?.markPoint?.data ?? []).map(({ name }) => name);
}"""


def button(page: Page) -> Locator:
    return page.locator("#alerts-open")


def items(page: Page) -> Locator:
    return page.locator("#alerts li")


def add_alert_at(client: Client, age: float, symbol: str = "AAPL", **more: Any) -> None:
    """Store an alert that was complete so many seconds ago."""
    at = datetime.now(UTC) - timedelta(seconds=age)
    add_alert(client, 0, symbol, **{"started_at": at, "ended_at": at, **more})


@pytest.mark.parametrize("width", [360, 860, 980, 1440])
def test_their_number_appears_with_the_first_and_nothing_moves(
    page: Page, api: Api, ticks: Client, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    open_live(page, api)
    expect(page.locator("[data-meter=lag] b")).to_have_text("7")
    expect(button(page)).to_be_hidden()
    before = page.evaluate(PLACES.replace("dead-letters-open", "alerts-open"))
    add_alert_at(ticks, 5)
    expect(button(page).locator("b")).to_have_text("1")
    add_alert_at(ticks, 2, "MSFT")
    expect(button(page).locator("b")).to_have_text("2")
    assert page.evaluate(PLACES.replace("dead-letters-open", "alerts-open")) == before
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_list_shows_them_and_leads_to_their_symbol(wide: Page, api: Api, ticks: Client) -> None:
    add_alert_at(ticks, 7200, "OLD")
    add_alert_at(ticks, 30, rule="volume_bursts", severity="info", message="<b>much</b>")
    add_alert_at(ticks, 5, "MSFT", severity="critical")
    open_live(wide, api, "?symbols=AAPL")
    expect(button(wide).locator("b")).to_have_text("2")
    wide.keyboard.press("a")
    expect(items(wide)).to_have_count(3)
    first, second, _ = items(wide).all()
    expect(first.locator(".severity")).to_have_text("critical")
    expect(second.locator(".rule")).to_have_text("volume bursts")
    expect(second.locator(".message")).to_have_text("<b>much</b>")
    wide.mouse.move(0, 0)
    add_alert_at(ticks, 1, "TSLA")
    expect(items(wide)).to_have_count(4)
    items(wide).nth(1).get_by_role("button", name="MSFT").click()
    expect(wide.locator("#alerts")).to_be_hidden()
    expect(wide.locator("#selection .symbol")).to_have_text("MSFT")


def test_the_chart_marks_the_candle_of_an_alert(wide: Page, api: Api, ticks: Client) -> None:
    add_alert_at(ticks, 20, message="an old one")
    add_alert_at(ticks, 20, "MSFT", message="of another symbol")
    open_live(wide, api, "?symbols=AAPL&interval=1m")
    wait_until(lambda: wide.evaluate(MARKS) == ["an old one"])
    add_alert_at(ticks, 20, message="a new one", rule="price_rises")
    wait_until(
        lambda: sorted("\n".join(wide.evaluate(MARKS)).split("\n")) == ["a new one", "an old one"]
    )


def test_late_ticks_are_counted(wide: Page, api: Api, ticks: Client) -> None:
    open_live(wide, api)
    expect(wide.locator("#ticks .late")).to_have_text("")
    now = datetime.now(UTC)
    rows = [["AAPL", 101.0, 10, now, 0, n, now, "stocks/ticks", True] for n in range(11)]
    ticks.insert("stocks.ticks", rows, column_names=[*COLUMNS, "is_late"])
    expect(wide.locator("#ticks .late")).to_have_text("11 late")


@pytest.mark.parametrize("width", [360, 1440])
def test_the_list_has_no_violations_and_fits(
    axed: Page, api: Api, ticks: Client, width: int
) -> None:
    axed.set_viewport_size({"width": width, "height": 640})
    for severity in ("info", "warning", "critical"):
        add_alert_at(ticks, 9, severity=severity, rule=f"rule_{severity}", message="y" * 300)
    open_live(axed, api)
    expect(button(axed)).to_be_visible()
    assert violations(axed) == []
    button(axed).click()
    expect(items(axed)).to_have_count(3)
    assert violations(axed) == []
    beyond = f"all => all.filter((one) => one.getBoundingClientRect().right > {width}).length"
    assert axed.locator("#alerts, #alerts p").evaluate_all(beyond) == 0
