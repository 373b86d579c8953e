"""Fill stocks.ticks with one day of ticks, in chunks of a million."""

import time

import click
from clickhouse_connect.driver.client import Client

from bench.stack import console, progress

# One chunk has every n-th tick of the last 24 hours, n being the number of chunks.
FILL = """
    INSERT INTO stocks.ticks
        (symbol, price, volume, timestamp, kafka_partition, kafka_offset, kafka_timestamp,
         inserted_by, received_at, inserted_at)
    WITH
        {first:UInt64} + number * {chunks:UInt64} AS n,
        now64(6, 'UTC') - toIntervalMicrosecond(
            86400000000 - intDiv(n * 86400000, {chunks:UInt64} * 1000)
        ) AS at
    SELECT
        concat('S', leftPad(toString(number % {symbols:UInt64}), 3, '0')),
        round(100 + 10 * sin(n / 1000000) + randCanonical(), 2),
        1 + rand(1) % 1000,
        at, {partition:Int32} + n % 4, n, at, {writer:String}, at, at
    FROM numbers(1000000)
"""


def chunk(
    client: Client,
    first: int,
    chunks: int,
    symbols: int,
    partition: int = 0,
    writer: str = "stocks/ticks",
) -> None:
    """Store one chunk, in four partitions from a number on."""
    parameters = {"first": first, "chunks": chunks, "symbols": symbols}
    client.command(FILL, parameters=parameters | {"partition": partition, "writer": writer})


def fill(client: Client, chunks: range, of: int, symbols: int) -> None:
    """Store some of the chunks, with inserts as large as those of the sink."""
    for first in progress(chunks, "filling"):
        chunk(client, first, of, symbols)
    count = client.command("SELECT count() FROM stocks.ticks")
    console.print(f"{count:,} ticks of {symbols} symbols")


def settle(client: Client) -> None:
    """Wait until `latest` is one part and no merge runs, which would disturb the measurement."""
    unsettled = (
        "SELECT (SELECT count() FROM system.merges) + (SELECT count() > 1 FROM system.parts"
        " WHERE active AND database = 'stocks' AND table = 'latest')"
    )
    deadline = time.monotonic() + 120
    while client.command(unsettled):
        if time.monotonic() > deadline:
            raise click.ClickException("stocks.latest was not merged into one part within 120 s")
        time.sleep(0.5)
