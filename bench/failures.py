"""A program that fails ends its own measurement, not those of the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from bench.stack import console
from lib.errors import MillraceError


@contextmanager
def failures(name: str, into: dict[str, Any]) -> Iterator[None]:
    """Print an error of the block, and note it in `into`."""
    try:
        yield
    except (click.ClickException, MillraceError) as error:
        # An output may have brackets, which are no markup.
        console.print(f"  {name}: failed: {error}", markup=False)
        into.setdefault("failures", []).append(f"{name}: {error}")


def noted(run: Any) -> list[str]:
    """The failures that are noted anywhere in a run."""
    if isinstance(run, dict):
        own = run.get("failures", [])
        return [*own, *(text for value in run.values() for text in noted(value))]
    return []
