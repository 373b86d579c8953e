"""Debian's Chromium, driven by Playwright, for benchmarks, screenshots and tests."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import click
from playwright.sync_api import Browser, sync_playwright

# Each window prepares two popups of the address bar, in processes of their own that take as long as
# the page. The others are those of Playwright's own list, which this one replaces, that concern us.
UNUSED = [
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup",
    "AimEnabled", "MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding",
    "PreconnectToSearch",
]  # fmt: skip
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    f"--disable-features={','.join(UNUSED)}",
]  # fmt: skip


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser; raise ClickException if it is not installed."""
    program = shutil.which("chromium")
    if program is None:
        raise click.ClickException("chromium: not on PATH; apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS, timeout=120_000)
        yield browser
        browser.close()
