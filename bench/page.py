"""How fast the dashboard is in a real browser: load to first price, event to pixels, a long run.

Starts a whole pipeline of its own in a temporary folder. Run it with `make bench-page`; the machine
should have nothing else to do.
"""

import json
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from playwright.sync_api import Browser, Page

from bench.browser import chromium
from bench.stack import console
from jobs.sql_tests import own_stack
from lib.settings import Settings

# Tasks of more than 50 ms, from before the first script of the page.
LONG_TASKS = """
    window.longTasks = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.longTasks.push(entry.duration);
    }).observe({ type: "longtask", buffered: true });
"""
FIRST_PRICE = "() => performance.getEntriesByName('first-price')[0]?.startTime"
DELAYS = (
    "() => [document.documentElement.dataset.delayP50, document.documentElement.dataset.delayP99]"
)


@click.command()
@click.option("--minutes", default=10, show_default=True, help="How long the long run is.")
@click.option("--symbols", default=500, show_default=True, help="Symbols in the long run.")
@click.option("--rate", default=2_000, show_default=True, help="Its ticks a second.")
def main(minutes: int, symbols: int, rate: int) -> None:
    """Measure the dashboard in Chromium."""
    with ExitStack() as ending:
        config = ending.enter_context(
            own_stack.running(Path(ending.enter_context(tempfile.TemporaryDirectory())))
        )
        # The job has started when its first checkpoint is done.
        ending.enter_context(own_stack.program("jobs", "run", "stocks", until=" s ago"))
        ending.enter_context(own_stack.program("api", until="endpoints at"))
        browser = ending.enter_context(chromium())
        with ticks([f"S{number:03}" for number in range(50)], 50):
            first_price(config, browser)
            delays(config, browser)
        with ticks([f"S{number:03}" for number in range(symbols)], rate):
            long_run(config, browser, minutes, rate)


@contextmanager
def ticks(symbols: list[str], rate: float) -> Iterator[None]:
    """Run a producer that sends ticks of these symbols at a rate per second."""
    os.environ["MILLRACE_PRODUCER__SYMBOLS"] = json.dumps(dict.fromkeys(symbols, 100.0))
    with own_stack.program("producer", "--rate", str(rate / len(symbols)), until=None):
        yield


def first_price(config: Settings, browser: Browser, times: int = 10) -> None:
    """Print the time from the navigation until prices are on the page."""
    delays = []
    for _ in range(times):
        page = opened(config, browser)
        delays.append(page.evaluate(FIRST_PRICE))
        page.context.close()
    console.print(
        f"load to first price: {statistics.median(delays):.0f} ms at the median, "
        f"{max(delays):.0f} ms at most, of {times} loads with an empty cache"
    )


def opened(config: Settings, browser: Browser) -> Page:
    """Open the dashboard in a new tab and wait for its first prices."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(LONG_TASKS)
    page.goto(f"http://127.0.0.1:{config.api.port}/")
    page.wait_for_function(FIRST_PRICE, timeout=120_000)
    return page


def delays(config: Settings, browser: Browser, seconds: float = 60) -> None:
    """Print the age of ticks when they are painted, as the page itself measures it."""
    page = opened(config, browser)
    page.wait_for_timeout(1_000 * seconds)
    p50, p99 = page.evaluate(DELAYS)
    page.context.close()
    console.print(f"event to pixels at 50 ticks a second: p50 {p50} ms, p99 {p99} ms")


def long_run(config: Settings, browser: Browser, minutes: int, rate: int) -> None:
    """Print long tasks, delays and the heap after a garbage collection, every minute."""
    page = opened(config, browser)
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable")
    for minute in range(minutes + 1):
        if minute:
            page.wait_for_timeout(60_000)
        tools.send("HeapProfiler.collectGarbage")
        metrics = {
            each["name"]: each["value"] for each in tools.send("Performance.getMetrics")["metrics"]
        }
        tasks = page.evaluate("() => window.longTasks.splice(0)")
        shown = page.locator("[data-meter=rate] b").inner_text()
        console.print(
            f"minute {minute} at {rate:,} ticks a second ({shown} shown): "
            f"heap {metrics['JSHeapUsedSize'] / 1e6:.1f} MB, {metrics['Nodes']:.0f} nodes, "
            f"{len(tasks)} long tasks, {sum(tasks):.0f} ms in all, "
            f"p50 and p99 of event to pixels {page.evaluate(DELAYS)} ms"
        )
    page.context.close()


if __name__ == "__main__":
    main()
