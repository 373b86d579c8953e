"""Draws charts as a picture: ECharts, in Chromium, from options that are plain data.

https://echarts.apache.org/en/option.html"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Route, ViewportSize

from api.http import assets
from bench.browser import chromium

# An option of ECharts.
Option = dict[str, Any]

WIDTH, HEIGHT = 700, 320
PAGE = """
<style>
  body { margin: 0; display: grid; grid-template-columns: 1fr 1fr; background: white }
  div { width: 700px; height: 320px }
</style>
<script type="module">
  import { init } from "./echarts.js";
  for (const option of await (await fetch("./options.json")).json()) {
    init(document.body.appendChild(document.createElement("div"))).setOption(option);
  }
  document.title = "drawn";
</script>
"""


def chart(title: str, x: Option, y: Option, series: Sequence[Option]) -> Option:
    """A chart with a title above it and a legend below."""
    return {
        "animation": False,
        "title": {"text": title, "left": 10, "top": 5, "textStyle": {"fontSize": 14}},
        "legend": {"bottom": 0, "itemHeight": 8, "textStyle": {"fontSize": 11}},
        "grid": {"left": 65, "right": 20, "top": 35, "bottom": 65},
        "xAxis": {"nameLocation": "middle", "nameGap": 25} | x,
        "yAxis": y,
        "series": series,
    }


def line(name: str, points: Sequence[Sequence[Any]]) -> Option:
    """A line through points."""
    style = {"symbol": "none", "lineStyle": {"width": 1.5}}
    return {"name": name, "type": "line", "data": points} | style


def draw(options: Sequence[Option], file: Path) -> None:
    """Draw the charts, two in a row, into a PNG file."""
    files: dict[str, tuple[str | bytes, str]] = {
        "": (PAGE, "text/html"),
        "echarts.js": (assets.load()["echarts.esm.min.js"].plain[0], "text/javascript"),
        "options.json": (json.dumps(options), "application/json"),
    }
    size: ViewportSize = {"width": 2 * WIDTH, "height": HEIGHT * ((len(options) + 1) // 2)}
    file.parent.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        page = browser.new_page(viewport=size)
        page.route("http://charts/*", lambda route: fulfill(route, files))
        page.goto("http://charts/")
        page.wait_for_function("document.title === 'drawn'")
        page.screenshot(path=file)


def fulfill(route: Route, files: dict[str, tuple[str | bytes, str]]) -> None:
    """Answer with a file, by the last part of the address."""
    body, kind = files[route.request.url.rpartition("/")[2]]
    route.fulfill(body=body, content_type=kind)
