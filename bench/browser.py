"""Debian's Chromium, driven by Playwright, as benchmarks, screenshots and tests start it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import click
from playwright.sync_api import Browser, sync_playwright

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for as long as the block runs; raise ClickException where there is none."""
    program = shutil.which("chromium")
    if program is None:
        raise click.ClickException("chromium: not on PATH; apt-get install chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=FLAGS, timeout=120_000)
        yield found
        found.close()
