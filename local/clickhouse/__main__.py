"""python -m local.clickhouse: the embedded ClickHouse, on loopback, until SIGTERM or SIGINT."""

import os
from pathlib import Path

import click

from lib.errors import exit_on_error


@click.command()
@click.option(
    "--path", type=click.Path(path_type=Path), required=True, help="Where the data lives."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option("--port", default=8123, show_default=True, help="0 takes any free port.")
@click.option(
    "--log-level",
    type=click.Choice(["critical", "error", "warning", "info", "debug"]),
    default="warning",
    show_default=True,
)
def main(path: Path, host: str, port: int, log_level: str) -> None:
    """Serve a ClickHouse database over HTTP to programs on this machine."""
    # The engine reads its time zone from TZ when it is loaded; every response states UTC.
    os.environ["TZ"] = "UTC"
    from local.clickhouse.http.server import serve

    with exit_on_error():
        serve(path, host, port, log_level)


if __name__ == "__main__":
    main()
