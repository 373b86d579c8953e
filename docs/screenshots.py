"""Take the pictures of the dashboard in docs/ from a running demo: `make screenshots`."""

from pathlib import Path
from typing import Any

import click
from playwright.sync_api import Browser, Error

from bench.browser import chromium
from lib import conf

FOLDER = Path(__file__).resolve().parent
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
PICTURES: dict[str, dict[str, Any]] = {
    "dashboard-light": {"viewport": DESK, "color_scheme": "light"},
    "dashboard-dark": {"viewport": DESK, "color_scheme": "dark"},
    "dashboard-phone": {"viewport": PHONE, "color_scheme": "dark", "device_scale_factor": 2},
}


@click.command()
@click.option("--view", default="", help="The page's address after the ?.")
def main(view: str) -> None:
    """Take all pictures, of a demo that has run for some minutes."""
    api = conf.load().api
    with chromium() as browser:
        for name, look in PICTURES.items():
            take(browser, f"http://{api.host}:{api.port}/?{view}", name, look)


def take(browser: Browser, address: str, name: str, look: dict[str, Any]) -> None:
    """Open the page, wait until it is live and its delay is known, and save a picture."""
    context = browser.new_context(**look)
    page = context.new_page()
    try:
        page.goto(address)
        page.wait_for_selector("html[data-state=live][data-delay-p50]", timeout=60_000)
    except Error as error:
        fact = str(error).splitlines()[0]
        raise click.ClickException(f"{address}: {fact}; start it with `make demo`") from None
    # The delays of the first seconds include loading.
    page.wait_for_timeout(5_000)
    page.screenshot(path=FOLDER / f"{name}.png")
    click.echo(f"docs/{name}.png")
    context.close()


if __name__ == "__main__":
    main()
