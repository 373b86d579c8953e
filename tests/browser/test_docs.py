"""The description of the API as a page, and the chart library, under the API's own policy."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.api.support import Api
from tests.browser.support import Complaints

KEY = "0123456789abcdef"
# The tooltip is drawn on the canvas: as HTML, which is the default, it has inline styles.
CHART = """async () => {
    const echarts = await import("/assets/echarts.esm.min.js");
    const place = document.createElement("div");
    place.style.cssText = "width: 400px; height: 300px";
    document.body.replaceChildren(place);
    const chart = echarts.init(place);
    chart.setOption({
        animation: false,
        tooltip: { trigger: "axis", renderMode: "richText" },
        xAxis: { type: "category", data: ["a", "b"] },
        yAxis: {},
        series: [{ type: "line", name: "prices", data: [1, 2] }],
    });
    chart.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: 1 });
    return JSON.stringify(chart.getZr().storage.getDisplayList(true).map((one) => one.style.text));
}"""


def try_out(page: Page, path: str) -> None:
    """Send a request to an endpoint from the page, and wait for its response."""
    operation = page.locator(".opblock", has=page.locator(f'[data-path="{path}"]'))
    operation.locator(".opblock-summary-control").click()
    operation.locator(".try-out__btn").click()
    operation.locator(".execute").click()
    statuses = operation.locator(".live-responses-table tbody td.response-col_status")
    expect(statuses).to_have_text(["200"])


def test_it_lists_the_operations(page: Page, api: Api) -> None:
    page.goto(f"{api.client.base_url}/docs")
    described = api.get("/openapi.json").json()["paths"]
    expect(page.locator(".opblock")).to_have_count(len(described))
    shown = page.locator(".opblock-summary-path").evaluate_all(
        "all => all.map(one => one.dataset.path)"
    )
    assert set(shown) == set(described)


def test_an_operation_can_be_tried(page: Page, api: Api) -> None:
    page.goto(f"{api.client.base_url}/docs")
    try_out(page, "/api/symbols")


def test_it_prompts_for_the_key(
    page: Page, complaints: Complaints, make_api: Callable[..., Api]
) -> None:
    api = make_api(api__keys=f"{{me: {{key: {KEY}}}}}")
    api.start()
    page.goto(f"{api.client.base_url}/docs")
    page.get_by_label("Key").fill("wrong")
    page.get_by_role("button", name="Open").click()
    expect(page.locator("output")).to_have_text("This key was not accepted.")
    page.get_by_label("Key").fill(KEY)
    page.get_by_role("button", name="Open").click()
    try_out(page, "/api/symbols")
    assert all("401" in text for text in complaints.console)
    complaints.console.clear()


def test_a_chart_and_its_tooltip_comply_with_the_policy(page: Page, api: Api) -> None:
    page.goto(f"{api.client.base_url}/docs")
    drawn = page.evaluate(CHART)
    expect(page.locator("canvas")).to_be_visible()
    assert "prices" in drawn
