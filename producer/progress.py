"""Progress on stderr: a bar or a live line on a terminal, plain lines in a log file."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

from lib.errors import one_line
from producer.counts import Counts
from producer.pace import Reminder

console = Console(stderr=True, highlight=False, soft_wrap=True)

# In a log file a line every 10 s is enough.
PLAIN_EVERY, REDRAW_EVERY = 10.0, 0.25
# The time over which the rate on display is taken.
WINDOW = 10.0

Fraction = Callable[[], float]


def say(line: str) -> None:
    """Print a line on stderr, above the bar if there is one."""
    console.print(line, markup=False)


@dataclass(slots=True)
class Speed:
    """Ticks a second over the last seconds."""

    samples: deque[tuple[float, int]] = field(default_factory=deque)

    def update(self, now: float, sent: int) -> float:
        self.samples.append((now, sent))
        while now - self.samples[0][0] > WINDOW and len(self.samples) > 2:
            self.samples.popleft()
        then, before = self.samples[0]
        return (sent - before) / (now - then) if now > then else 0.0


@dataclass(slots=True)
class Stall:
    """Detects that Kafka acknowledges nothing while ticks wait for it."""

    address: str
    since: float
    acknowledged: int = 0
    reminder: Reminder = field(default_factory=Reminder)
    is_reported: bool = False

    def update(self, now: float, counts: Counts) -> str | None:
        """The line to print at `now`, if there is one."""
        waited = now - self.since
        if not counts.waiting or counts.acknowledged != self.acknowledged:
            again = f"{self.address}: Kafka acknowledges again, after {waited:.0f} s."
            line = again if self.is_reported else None
            self.since, self.acknowledged = now, counts.acknowledged
            self.reminder, self.is_reported = Reminder(), False
            return line
        if not self.reminder.due(waited):
            return None
        self.is_reported = True
        return (
            f"{self.address}: Kafka has acknowledged nothing for {waited:.0f} s, "
            f"{counts.waiting:,} ticks wait; see `make status`, or --verbose for the reason."
        )


def describe(counts: Counts, rate: float) -> str:
    return f"sent {counts.sent:,} ticks, {rate:,.1f}/s, {counts.acknowledged:,} acknowledged"


@contextmanager
def shown(counts: Counts, address: str, fraction: Fraction | None) -> Iterator[None]:
    """Show the counts from a thread of its own, so that sending never waits for a terminal."""
    done = threading.Event()
    show = _show_live if console.is_terminal else _show_plain
    stall = Stall(address, monotonic())
    watcher = threading.Thread(target=show, args=(counts, stall, fraction, done), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _show_plain(
    counts: Counts, stall: Stall, fraction: Fraction | None, done: threading.Event
) -> None:
    speed, reported = Speed(), monotonic()
    while not done.wait(1.0):
        now = monotonic()
        rate = speed.update(now, counts.sent)
        if line := stall.update(now, counts):
            say(line)
        if now - reported >= PLAIN_EVERY:
            reported = now
            say(describe(counts, rate) + (f", {fraction():.0%} done" if fraction else ""))


def _show_live(
    counts: Counts, stall: Stall, fraction: Fraction | None, done: threading.Event
) -> None:
    speed, text = Speed(), TextColumn("{task.description}")
    known = (BarColumn(), TaskProgressColumn(), text)
    columns = known if fraction else (SpinnerColumn(), text)
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=1.0 if fraction else None)
        while True:
            finished = done.wait(REDRAW_EVERY)
            now = monotonic()
            if line := stall.update(now, counts):
                say(line)
            text_now = describe(counts, speed.update(now, counts.sent))
            progress.update(task, description=text_now, completed=fraction() if fraction else None)
            if finished:
                return


class _OneLine(logging.Formatter):
    """One line per record: Kafka's client logs tracebacks for an unavailable broker."""

    def format(self, record: logging.LogRecord) -> str:
        return one_line(f"{record.levelname} {record.name}: {record.getMessage()}")


def log_client(verbose: bool) -> None:
    """Send the client's log to stderr, or nowhere: the producer itself reports what matters."""
    logger = logging.getLogger("kafka")
    logger.propagate = False
    handler = logging.StreamHandler() if verbose else logging.NullHandler()
    handler.setFormatter(_OneLine())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
