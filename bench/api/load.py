"""Measure the API at a steady rate of requests."""

import asyncio
import time

import click

from bench.api.compare import api_request
from bench.api.connection import receive
from bench.stack import console, quantile
from lib.settings import Settings


async def load(config: Settings, path: str, rate: int, seconds: int) -> None:
    """Send requests at a steady rate; print how long after its time each was answered."""
    delays: list[float] = []
    due: asyncio.Queue[float] = asyncio.Queue()
    message = api_request(config, path).message()

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", config.api.port)
        while True:
            at = await due.get()
            writer.write(message)
            await receive(reader)
            delays.append(1e3 * (time.perf_counter() - at))

    workers = [asyncio.create_task(work()) for _ in range(64)]
    begun = time.perf_counter()
    for number in range(rate * seconds):
        at = begun + number / rate
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        due.put_nowait(at)
    while len(delays) < rate * seconds:
        await asyncio.sleep(0.01)
        check(workers)
    took = time.perf_counter() - begun
    for worker in workers:
        worker.cancel()
    console.print(
        f"/api/{path}: {len(delays) / took:,.0f} requests a second, {quantile(delays, 0.5):.1f} ms "
        f"at the median, {quantile(delays, 0.99):.1f} ms at the 99th percentile"
    )


def check(tasks: list["asyncio.Task[None]"]) -> None:
    """Raise the error of a task that failed; none ends by itself."""
    for task in tasks:
        if task.done():
            task.result()
            raise click.ClickException("the API closed a connection")
