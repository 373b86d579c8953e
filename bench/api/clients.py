"""Measure a server with clients that ask again as soon as they have an answer."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import click

from bench.api.compare import Request
from bench.api.connection import receive
from bench.stack import quantile

# Connections and caches are made meanwhile, in seconds.
WARM_UP = 1.0
# How long the last answers are waited for, and a client after a failure, in seconds.
GRACE, PAUSE = 15.0, 0.1

# When it was asked, and when it was answered, in seconds of the clock.
Answer = tuple[float, float]


async def closed(request: Request, clients: int, seconds: float) -> dict[str, Any]:
    """Ask for so long over so many connections; what fails is counted, and asked again."""
    answers: list[Answer] = []
    failed = 0
    begun = time.perf_counter() + WARM_UP
    end = begun + seconds
    message = request.message()

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", request.port)
        try:
            while (asked := time.perf_counter()) < end:
                writer.write(message)
                await receive(reader)
                answers.append((asked, time.perf_counter()))
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def client() -> None:
        nonlocal failed
        while time.perf_counter() < end:
            try:
                await ask()
            except (OSError, asyncio.IncompleteReadError, click.ClickException):
                failed += 1
                await asyncio.sleep(PAUSE)

    tasks = [asyncio.create_task(client()) for _ in range(clients)]
    _, waiting = await asyncio.wait(tasks, timeout=WARM_UP + seconds + GRACE)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return figures(answers, begun, end) | {"failed": failed + len(waiting)}


def figures(answers: Sequence[Answer], begun: float, end: float) -> dict[str, Any]:
    """The answers a second from begun to end, and how long those to what was asked then took."""
    delays = [1e3 * (answered - asked) for asked, answered in answers if begun <= asked < end]
    count = sum(begun <= answered < end for _, answered in answers)
    return {
        "rate": round(count / (end - begun), 1),
        "p50_ms": round(quantile(delays, 0.5), 2) if delays else None,
        "p99_ms": round(quantile(delays, 0.99), 2) if delays else None,
    }
