"""A round: load, the faults of a seed, and the account of every record that was sent."""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos import check, disks, faults, stack
from tests.chaos.check import Counts
from tests.chaos.schedule import schedule
from tests.chaos.stack import Stack
from tests.e2e.support import wait_until

# How long the load lasts at least, in seconds.
LOAD_SECONDS = 30.0


@dataclass(frozen=True)
class Recovery:
    """How long it took after a fault until new ticks could be queried, in seconds."""

    fault: str
    seconds: float
    # The previous fault, if this one came before the stack had recovered from it.
    during: str = ""


@dataclass
class Round:
    """What a round has shown; `error` is empty if each record is where it should be, once."""

    seed: int
    recoveries: list[Recovery] = field(default_factory=list)
    counts: Counts | None = None
    seconds: float = 0.0
    # What else this machine was doing: its load average of the last minute.
    load: float = 0.0
    error: str = ""


def play(seeds: Sequence[int], folder: Path) -> Iterator[Round]:
    """Play a round for each seed, on one stack until a round fails, whose files are kept."""
    left = [*seeds]
    while left:
        place = folder / f"from-{left[0]}"
        with stack.running(place) as running:
            seen: set[tuple[int, int]] = set()
            error = ""
            while left and not error:
                one = _play(running, left.pop(0), seen, is_last=not left)
                error = one.error
                yield one
        if not error:
            shutil.rmtree(place)


def _play(running: Stack, seed: int, seen: set[tuple[int, int]], is_last: bool) -> Round:
    began, one = time.monotonic(), Round(seed)
    try:
        _run(running, one, running.servers.folder / f"sent-{seed}.json", seen, is_last)
    except AssertionError as error:
        one.error = str(error) or repr(error)
    one.seconds = round(time.monotonic() - began, 1)
    one.load = round(os.getloadavg()[0], 1)
    return one


def _run(running: Stack, one: Round, sent: Path, seen: set[tuple[int, int]], is_last: bool) -> None:
    load = running.load(one.seed, sent)
    until = time.monotonic() + LOAD_SECONDS
    try:
        _break(running, one)
    except AssertionError as error:
        if load.process.poll() is None:
            raise
        raise AssertionError(f"{error}: the load has ended: {load.said}") from None
    time.sleep(max(0.0, until - time.monotonic()))
    load.process.terminate()
    assert load.end().code == 0, load.said
    check.settle(running)
    one.counts = check.check(running, sent, seen, *["--full"] * is_last)


def _break(running: Stack, one: Round) -> None:
    """Inject the faults of the round one after another, and note how long each recovery took."""
    since = time.time()
    wait_until(lambda: running.newest() > since * 1000, "the first ticks are stored")
    planned = schedule(one.seed, disks.can_mount())
    during = ""
    for fault, following in zip(planned, [*planned[1:], None], strict=True):
        since = faults.inject(running, fault)
        if following and following.is_second:
            during = fault.name
            continue
        seconds = round(faults.recovery(running, fault, since), 1)
        one.recoveries.append(Recovery(fault.name, seconds, during))
        during = ""
