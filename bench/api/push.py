"""Measure how soon clients of the stream receive a stored tick."""

import asyncio
import statistics
import time

from clickhouse_connect.driver.client import Client

from bench.api.load import check
from bench.stack import console
from lib.settings import Settings


async def push(config: Settings, client: Client, clients: int) -> None:
    """Store ticks one by one; print when the first and the last client of a stream receive each."""
    seen: list[dict[int, float]] = [{} for _ in range(clients)]
    tasks = [asyncio.create_task(follow(config.api.port, times)) for times in seen]
    while not all(-1 in times for times in seen):
        await asyncio.sleep(0.1)
        check(tasks)
    spreads, firsts, lasts = [], [], []
    for number in range(20):
        offset = 1_000_000_000 + number
        row = f"('S001', 100, 1, now64(6), 0, {offset}, now64(3), 'stocks/ticks')"
        begun = time.perf_counter()
        await asyncio.to_thread(
            client.command,
            "INSERT INTO stocks.ticks (symbol, price, volume, timestamp, kafka_partition,"
            f" kafka_offset, kafka_timestamp, inserted_by) VALUES {row}",
        )
        while not all(offset in times for times in seen):
            await asyncio.sleep(0.05)
            check(tasks)
        received = [times[offset] for times in seen]
        firsts.append(1e3 * (min(received) - begun))
        lasts.append(1e3 * (max(received) - begun))
        spreads.append(lasts[-1] - firsts[-1])
    for task in tasks:
        task.cancel()
    console.print(
        f"/api/stream: a tick reaches the first client {statistics.median(firsts):.0f} ms after "
        f"its insert began, the last of {clients} {statistics.median(lasts):.0f} ms (medians);"
        f" between the two {statistics.median(spreads):.0f} ms, at most {max(spreads):.0f} ms"
    )


async def follow(port: int, seen: dict[int, float]) -> None:
    """Note when each offset arrives; -1 stands for the start of the stream."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    while line := await reader.readline():
        now = time.perf_counter()
        if line.startswith(b"id: "):
            seen.setdefault(-1, now)
        for piece in line.split(b'"kafka_offset":"')[1:]:
            seen.setdefault(int(piece.split(b'"')[0]), now)
