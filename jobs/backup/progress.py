"""The progress of a backup: bytes, on stderr."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

Advance = Callable[[int], None]


class Bar:
    """A bar for each step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    @contextmanager
    def step(self, text: str, total: int | None) -> Iterator[Advance]:
        """A step of so many bytes, or of an unknown number; the block says how many are done."""
        task = self._progress.add_task(text, total=total)
        yield lambda size: self._progress.advance(task, size)
        self._progress.update(task, total=total or 1, completed=total or 1)


@contextmanager
def shown() -> Iterator[Bar]:
    """Bars on a terminal; elsewhere none."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        yield Bar(progress)


def size(folder: Path) -> int:
    """The bytes in the files of a folder, some of which may go away meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_size
    return total
