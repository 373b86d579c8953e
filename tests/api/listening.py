"""Clients of server-sent events."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import httpx

from tests.api.support import Api

EVENTS = {"accept": "text/event-stream"}


@contextmanager
def listening(api: Api, path: str, **headers: str) -> Iterator[Iterator[dict[str, str]]]:
    """The events of an address, as field: value."""
    address = f"http://127.0.0.1:{api.port}{path}"
    with httpx.stream("GET", address, headers={**EVENTS, **headers}, timeout=90) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store, no-transform"
        yield events(answer.iter_lines())


def events(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in lines:
        if not line:
            if event:
                yield event
            event = {}
        elif not line.startswith((":", "retry")):
            name, _, value = line.partition(": ")
            event[name] = value


def fresh() -> int:
    """An offset above those of other tests, which a running stream has as its position."""
    return time.time_ns()


def offsets(event: dict[str, str]) -> list[int]:
    return [int(row["kafka_offset"]) for row in json.loads(event.get("data", "[]"))]


def events_for(
    api: Api, path: str, key: dict[str, str], seen: str = ""
) -> Iterator[dict[str, str]]:
    headers = {**EVENTS, **key, **({"last-event-id": seen} if seen else {})}
    address = f"http://127.0.0.1:{api.port}/api/{path}"
    with httpx.stream("GET", address, headers=headers, timeout=90) as answer:
        assert answer.status_code == 200
        yield from events(answer.iter_lines())


def symbols_and_offsets(event: dict[str, str]) -> list[tuple[str, int]]:
    rows = json.loads(event.get("data", "[]"))
    return [(row["symbol"], int(row["kafka_offset"])) for row in rows]
