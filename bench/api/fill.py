"""Fill stocks.ticks with one day of ticks, in chunks of a million."""

import time

import click
from clickhouse_connect.driver.client import Client

from bench.stack import console, progress

# One chunk has every n-th tick of the last 24 hours, n being the number of chunks. The rows of an
# insert come in the order of the table's key, so that ClickHouse need not sort them.
FILL = """
    INSERT INTO stocks.ticks
        (symbol, price, volume, timestamp, kafka_partition, kafka_offset, kafka_timestamp,
         inserted_by, received_at, inserted_at)
    WITH
        intDiv(1000000, {symbols:UInt64}) * {count:UInt64} AS ticks,
        intDiv(number, ticks) AS nth,
        number % ticks AS tick,
        {first:UInt64} + tick % {count:UInt64}
            + (intDiv(tick, {count:UInt64}) * {symbols:UInt64} + nth) * {chunks:UInt64} AS n,
        now64(6, 'UTC') - toIntervalMicrosecond(
            86400000000 - intDiv(n * 86400000, {chunks:UInt64} * 1000)
        ) AS at
    SELECT
        concat('S', leftPad(toString(nth), 3, '0')),
        round(100 + 10 * sin(n / 1000000) + randCanonical(), 2),
        1 + rand(1) % 1000,
        at, {partition:Int32} + n % 4, n, at, {writer:String}, at, at
    FROM numbers({symbols:UInt64} * intDiv(1000000, {symbols:UInt64}) * {count:UInt64})
    SETTINGS
        max_insert_threads = 2,
        min_insert_block_size_rows = 5000000,
        min_insert_block_size_bytes = 0
"""
# How many chunks are one insert: few large parts leave little to merge.
BLOCK = 5


def chunk(
    client: Client,
    first: int,
    chunks: int,
    symbols: int,
    partition: int = 0,
    writer: str = "stocks/ticks",
    count: int = 1,
) -> None:
    """Store one chunk, or some that follow each other, in four partitions from a number on."""
    parameters = {"first": first, "chunks": chunks, "symbols": symbols, "count": count}
    client.command(FILL, parameters=parameters | {"partition": partition, "writer": writer})


def fill(client: Client, chunks: range, of: int, symbols: int) -> None:
    """Store some of the chunks, with inserts that are larger than those of the sink."""
    for first in progress(chunks[::BLOCK], "filling"):
        chunk(client, first, of, symbols, count=min(BLOCK, chunks.stop - first))
    count = client.command("SELECT count() FROM stocks.ticks")
    console.print(f"{count:,} ticks of {symbols} symbols")


def settle(client: Client, limit: float = 120.0) -> None:
    """Wait until `latest` is one part and no merge runs, which would disturb the measurement."""
    unsettled = (
        "SELECT (SELECT count() FROM system.merges) + (SELECT count() > 1 FROM system.parts"
        " WHERE active AND database = 'stocks' AND table = 'latest')"
    )
    deadline = time.monotonic() + limit
    while client.command(unsettled):
        if time.monotonic() > deadline:
            raise click.ClickException(f"merges have not ended within {limit:.0f} s")
        time.sleep(0.5)
