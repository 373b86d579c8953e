"""`python -m bench.soak.plot FILE`: draws a stored run of `make soak` as docs/soak.png."""

import json
from pathlib import Path
from typing import Any

import click

from bench.charts import Option, chart, draw, line
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


@click.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
def main(file: Path) -> None:
    """Draw the run in FILE."""
    run: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    draw(options(run), ROOT / "docs" / "soak.png")
    click.echo("docs/soak.png")


def options(run: dict[str, Any]) -> list[Option]:
    """A chart for each kind of figure, with a line for each program, table or folder."""
    minutes = [seconds / 60 for seconds in run["seconds"]]
    x = {"type": "value", "name": "minutes", "max": "dataMax"}
    return [
        chart(
            title,
            x,
            {"type": "value", "min": 0},
            [
                line(name, [*zip(minutes, values, strict=True)])
                for name, values in run[kind].items()
                if name not in LEFT_OUT
            ],
        )
        for kind, title in CHARTS.items()
    ]


if __name__ == "__main__":
    main()
