"""What the benchmarks share to measure and print."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress, track

console = Console(highlight=False, soft_wrap=True)


def progress(steps: range, text: str) -> Iterable[int]:
    """The steps, with a progress bar on a terminal."""
    return track(steps, text, console=console, transient=True, disable=not console.is_terminal)


Step = TypeVar("Step")


def steps(todo: Sequence[Step], text: str, name: Callable[[Step], str]) -> Iterator[Step]:
    """What is to do, one after another, with a progress bar that names it on a terminal."""
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(text, total=len(todo))
        for step in todo:
            bar.update(task, description=f"{text}: {name(step)}")
            yield step
            bar.advance(task)


def quantile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[int(len(ordered) * share)]


def remove_cache(folder: Path) -> None:
    """Remove @cache from the endpoints of a folder, so that each answer is computed."""
    for file in folder.glob("*.sql"):
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = (line for line in lines if not line.startswith("-- @cache"))
        file.write_text("".join(kept), encoding="utf-8")
