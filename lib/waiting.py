"""Wait until something answers."""

import time
from collections.abc import Callable
from typing import TypeVar

from lib.errors import ServiceError, UnavailableError

Answer = TypeVar("Answer")


def until(
    ask: Callable[[], Answer],
    limit: float,
    *,
    pause: float = 0.1,
    retry_on: type[ServiceError] = UnavailableError,
    waiting: Callable[[], object] = lambda: None,
) -> Answer:
    """Ask until the answer is true, and return it; call `waiting` before each pause.

    After `limit` seconds return the last answer, or raise the last error."""
    deadline = time.monotonic() + limit
    while True:
        try:
            answer = ask()
            if answer or time.monotonic() > deadline:
                return answer
        except retry_on:
            if time.monotonic() > deadline:
                raise
        waiting()
        time.sleep(pause)
