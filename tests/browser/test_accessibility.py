"""The pages with axe-core, in both colour schemes, without motion, on small and large screens."""

from importlib.resources import files
from typing import Any, Literal

import pytest
from clickhouse_connect.driver.client import Client
from playwright.sync_api import Page, expect

from tests.api.support import Api
from tests.browser.support import open_live, open_page, price, rows, store
from tests.conftest import wait_until

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
# Swagger UI's own parts are not ours to fix.
RUN = """async () => {
    const { violations } = await axe.run(
        { exclude: [[".swagger-ui"]] }, { resultTypes: ["violations"], preload: false });
    return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}"""
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
COUNT_ANIMATIONS = """
    window.animations = 0;
    const animate = Element.prototype.animate;
    Element.prototype.animate = function (...args) {
        window.animations++;
        return animate.apply(this, args);
    };
"""
COLOURS = """async () => {
    const { getInstanceByDom } = await import("/assets/echarts.esm.min.js");
    const option = getInstanceByDom(document.querySelector("#chart"))?.getOption();
    const style = getComputedStyle(document.querySelector("#selection"));
    const label = option?.yAxis?.[0].axisLabel.color;
    return [style.backgroundColor, style.color, label, option?.series?.[0].itemStyle.borderColor];
}"""


@pytest.fixture
def axed(page: Page) -> Page:
    """A tab with axe-core, injected through the debugger, past the pages' policy."""
    page.add_init_script(AXE)
    return page


def violations(page: Page) -> list[str]:
    """The serious violations, in light and in dark colours."""
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    violations: list[str] = []
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        violations += page.evaluate(RUN)
    return violations


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_dashboard_has_no_violations(axed: Page, api: Api, ticks: Client, size: Any) -> None:
    axed.set_viewport_size(size)
    open_live(axed, api)
    store(ticks, ("AAPL", 109.0, 0), ("MSFT", 50.0, 0))
    expect(price(axed, "AAPL")).to_have_text("109.00")
    expect(axed.locator("#stats tbody tr")).to_have_count(1)
    assert violations(axed) == []
    axed.get_by_role("button", name="Pause").click()
    axed.keyboard.press("?")
    expect(axed.locator("dialog[open]")).to_be_visible()
    assert violations(axed) == []
    axed.keyboard.press("Escape")
    open_live(axed, api, "?symbols=AAPL,MSFT,TSLA")
    assert violations(axed) == []


def test_the_empty_page_has_no_violations(axed: Page, api: Api, running: Client) -> None:
    open_page(axed, api)
    expect(axed.locator("#empty")).to_be_visible()
    assert violations(axed) == []


def test_the_api_description_has_no_violations(axed: Page, api: Api) -> None:
    open_page(axed, api, "docs")
    expect(axed.locator(".opblock").first).to_be_visible()
    assert violations(axed) == []


def test_light_and_dark_follow_the_system(page: Page, api: Api, ticks: Client) -> None:
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    open_live(page, api)
    wait_until(lambda: all(page.evaluate(COLOURS)))
    light = page.evaluate(COLOURS)
    page.emulate_media(color_scheme="dark")
    wait_until(lambda: all(a != b for a, b in zip(light, page.evaluate(COLOURS), strict=True)))
    page.emulate_media(color_scheme="light")
    wait_until(lambda: bool(page.evaluate(COLOURS) == light))


def test_nothing_moves_if_reduced_motion_is_preferred(page: Page, api: Api, ticks: Client) -> None:
    page.emulate_media(reduced_motion="no-preference")
    page.add_init_script(COUNT_ANIMATIONS)
    open_live(page, api)
    # Once this tick has arrived, no earlier one is on its way.
    store(ticks, ("MSFT", 50.0, 0))
    expect(price(page, "MSFT")).to_have_text("50.00")
    assert animations(page, ticks, 109.0) == 1
    page.emulate_media(reduced_motion="reduce")
    wait_until(lambda: page.evaluate("document.getAnimations().length") == 0)
    assert animations(page, ticks, 110.0) == 0
    assert page.evaluate("document.getAnimations().length") == 0


def animations(page: Page, client: Client, rise: float) -> Any:
    """Store a tick at a higher price; return how many animations it starts."""
    before = page.evaluate("window.animations")
    store(client, ("AAPL", rise, 0))
    expect(price(page, "AAPL")).to_have_text(f"{rise:.2f}")
    expect(price(page, "AAPL")).to_have_attribute("data-move", "up")
    return page.evaluate("window.animations") - before


@pytest.mark.parametrize("query", ["", "?symbols=AAPL,MSFT,TSLA,A-SYMBOL-THATS-X"])
def test_a_phone_scrolls_in_one_direction(page: Page, api: Api, ticks: Client, query: str) -> None:
    store(ticks, ("A-SYMBOL-THATS-X", 1234567.89, 1))
    page.set_viewport_size({"width": 360, "height": 640})
    open_live(page, api, query)
    expect(page.locator("#stats tbody tr").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    beyond = "all => all.filter((one) => one.getBoundingClientRect().right > 361).length"
    assert page.locator(".panel, .panel > header > *, #strip > *").evaluate_all(beyond) == 0


def test_a_wall_is_used(page: Page, api: Api, ticks: Client) -> None:
    page.set_viewport_size({"width": 2560, "height": 1440})
    open_live(page, api)
    chart, table = page.locator("#chart").bounding_box(), page.locator("#ticks").bounding_box()
    assert chart and table
    assert chart["width"] > 1500
    assert chart["height"] > 900
    assert table["x"] + table["width"] > 2540
    assert table["y"] + table["height"] > 1420
    assert page.evaluate("document.documentElement.scrollHeight") == 1440
    expect(rows(page)).to_have_count(31)
