"""How fast the API is on this machine, compared with the same SQL in ClickHouse.

Starts a stack of its own in a temporary folder, fills it, and prints one line per figure. Run it
with `make bench-api`; nothing else should run on the machine.
"""

import asyncio
import tempfile
from pathlib import Path

import click

from bench.api.compare import compare, shown
from bench.api.fill import fill, settle
from bench.api.load import load
from bench.api.memory import memory
from bench.api.push import push
from bench.api.reload import EDITED, edit
from bench.api.served import uncached
from bench.stack import console
from jobs.sql_tests import own_stack
from lib import clickhouse
from lib.settings import Settings

MILLION = "-- One row per tick.\nSELECT * FROM stocks.ticks LIMIT 1000000\n"


@click.command()
@click.option("--chunks", default=10, show_default=True, help="How many million ticks.")
@click.option("--symbols", default=500, show_default=True, help="Of how many symbols.")
@click.option("--rate", default=500, show_default=True, help="Requests a second.")
@click.option("--clients", default=500, show_default=True, help="That follow the stream.")
def main(chunks: int, symbols: int, rate: int, clients: int) -> None:
    """Measure the API's latency, throughput, push and memory."""
    with tempfile.TemporaryDirectory() as folder, uncached() as sql:
        add_endpoints(sql)
        with own_stack.running(Path(folder)) as config:
            client = clickhouse.connect(config.clickhouse)
            with own_stack.program("api", until="endpoints at") as api:
                fill(client, range(1), chunks, symbols)
                settle(client)
                small = compared(config, "latest")
                fill(client, range(1, chunks), chunks, symbols)
                settle(client)
                large = compared(config, "latest")
                console.print(
                    f"latest at {chunks} million ticks takes {large / small:.2f} times as long "
                    "as at 1"
                )
                for name in ("latest", "history", "candles", "recent", "stats"):
                    compared(config, f"{name}?symbols=S001")
                for path in ("latest", "latest?symbols=S001"):
                    asyncio.run(load(config, path, rate, seconds=20))
                asyncio.run(push(config, client, clients))
                memory(config, api)
            with own_stack.program("api", "--reload", until="endpoints at"):
                edit(config)


def compared(config: Settings, address: str) -> float:
    """Print what the API adds to a query; return the median of the API in ms."""
    found = compare(config, address)
    console.print(shown(found))
    return float(found["api_ms"])


def add_endpoints(sql: Path) -> None:
    """Add two endpoints: one answers a million rows, the other is edited."""
    (sql / "api" / "million.sql").write_text(MILLION, encoding="utf-8")
    (sql / "api" / "edited.sql").write_text(EDITED.format(-1), encoding="utf-8")


if __name__ == "__main__":
    main()
