"""Lets only the newest attempt of a job store rows of a Kafka partition."""

import threading
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager


class FencedError(Exception):
    """A newer attempt stores this partition now; the one that gets this must end."""


class PartitionFence:
    """Keeps an attempt that Flink gave up, but whose thread still runs, from storing rows.

    In the in-process cluster a cancelled task's Python thread lives on until its call returns, and
    may be in the middle of trying an insert again. A claim waits for an insert that runs, and from
    then on the inserts of the previous owner are refused."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, int], threading.Lock] = {}
        self._owners: dict[tuple[str, int], object] = {}

    def claim(self, writer: str, partitions: Collection[int], owner: object) -> None:
        """Make `owner` the only one that may store rows of these partitions."""
        for partition in partitions:
            with self._lock(writer, partition):
                self._owners[writer, partition] = owner

    @contextmanager
    def held(self, writer: str, partitions: Collection[int], owner: object) -> Iterator[None]:
        """Lock the partitions while an insert runs; raise FencedError if one has another owner."""
        with ExitStack() as stack:
            for partition in sorted(partitions):
                stack.enter_context(self._lock(writer, partition))
                if self._owners.get((writer, partition)) is not owner:
                    raise FencedError(f"{writer}: partition {partition} has a newer owner")
            yield

    def _lock(self, writer: str, partition: int) -> threading.Lock:
        # In one step: two threads must never get two locks.
        return self._locks.setdefault((writer, partition), threading.Lock())
