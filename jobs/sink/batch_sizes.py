"""How many rows the latest batches of a job had, in this process: how busy its sink is."""

_largest: dict[str, int] = {}


def note(job: str, rows: int) -> None:
    """Note a batch of so many rows."""
    _largest[job] = max(rows, _largest.get(job, 0))


def take_largest(job: str) -> int | None:
    """The rows of the largest batch since the last call; None if there was none."""
    return _largest.pop(job, None)
