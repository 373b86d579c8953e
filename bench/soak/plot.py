"""`python -m bench.soak.plot`: draws a stored run of `make soak` as docs/soak.png."""

import json
from pathlib import Path
from typing import Any

import click
from playwright.sync_api import Route

from api.http import assets
from bench.browser import chromium
from lib.conf import ROOT

CHARTS = {
    "memory_mb": "Memory (RSS), MB",
    "latency_ms": "From send to query, ms",
    "files": "Open files",
    "threads": "Threads",
    "parts": "Parts per table",
    "disk_mb": "Disk, MB",
}
# What the load is, and what it starts, is not part of the pipeline.
LEFT_OUT = {"load", "others", "up", "waiting"}

PAGE = """
<style>
  body { margin: 0; display: grid; grid-template-columns: 1fr 1fr; background: white }
  div { width: 700px; height: 320px }
</style>
<script type="module">
  import { init } from "./echarts.js";
  const { seconds, charts } = await (await fetch("./run.json")).json();
  for (const [title, series] of Object.entries(charts)) {
    const chart = init(document.body.appendChild(document.createElement("div")));
    chart.setOption({
      animation: false,
      title: { text: title, left: 10, top: 5, textStyle: { fontSize: 14 } },
      legend: { bottom: 0, itemHeight: 8, textStyle: { fontSize: 11 } },
      grid: { left: 55, right: 20, top: 35, bottom: 65 },
      xAxis: {
        type: "value", name: "minutes", nameLocation: "middle", nameGap: 25, max: "dataMax",
      },
      yAxis: { type: "value", min: 0 },
      series: Object.entries(series).map(([name, values]) => ({
        name, type: "line", symbol: "none", lineStyle: { width: 1.5 },
        data: values.map((value, at) => [seconds[at] / 60, value]),
      })),
    });
  }
  document.title = "drawn";
</script>
"""


@click.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
def main(file: Path) -> None:
    """Draw the run in FILE."""
    run: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    charts = {
        title: {name: values for name, values in run[kind].items() if name not in LEFT_OUT}
        for kind, title in CHARTS.items()
    }
    shown = {"seconds": run["seconds"], "charts": charts}
    files: dict[str, tuple[str | bytes, str]] = {
        "": (PAGE, "text/html"),
        "echarts.js": (assets.load()["echarts.esm.min.js"].plain[0], "text/javascript"),
        "run.json": (json.dumps(shown), "application/json"),
    }
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 960})
        page.route("http://soak/*", lambda route: fulfill(route, files))
        page.goto("http://soak/")
        page.wait_for_function("document.title === 'drawn'")
        page.screenshot(path=ROOT / "docs" / "soak.png")
    click.echo("docs/soak.png")


def fulfill(route: Route, files: dict[str, tuple[str | bytes, str]]) -> None:
    """Answer with a file, by the last part of the address."""
    body, kind = files[route.request.url.rpartition("/")[2]]
    route.fulfill(body=body, content_type=kind)


if __name__ == "__main__":
    main()
