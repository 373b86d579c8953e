"""Measure how soon --reload serves an edited endpoint."""

import statistics
import time

import click
import urllib3

from bench.stack import console, progress
from lib.settings import Settings

EDITED = "-- One row.\nSELECT toInt8({}) AS edits\n"


def edit(config: Settings) -> None:
    """Edit the file of an endpoint several times; print how long it takes until it is served."""
    file = config.sql_dir / "api" / "edited.sql"
    address = f"http://127.0.0.1:{config.api.port}/api/edited"
    delays = []
    for number in progress(range(20), "editing"):
        begun = time.perf_counter()
        file.write_text(EDITED.format(number), encoding="utf-8")
        while f'"edits":{number}}}'.encode() not in urllib3.request("GET", address).data:
            if time.perf_counter() > begun + 60:
                raise click.ClickException(f"{file.name} does not become live")
            time.sleep(0.01)
        delays.append(1e3 * (time.perf_counter() - begun))
    console.print(
        f"--reload: an edited file is live after {statistics.median(delays):.0f} ms at the median, "
        f"{max(delays):.0f} ms at most"
    )
