"""What this process knows of the batches of a job: how large they are, and how often it began."""

from collections import defaultdict


class Batches:
    """The batches of one job, of all its targets."""

    def __init__(self) -> None:
        # How many instances of the sink have opened: each start of a task opens new ones.
        self.opened = 0
        self._largest = 0

    def note_open(self) -> None:
        """Note an instance of the sink that opens."""
        self.opened += 1

    def note(self, rows: int) -> None:
        """Note a batch that is stored."""
        # If another thread notes one at the same moment, one is lost: the next comes soon.
        self._largest = max(rows, self._largest)

    def take_largest(self) -> int:
        """The rows of the largest batch since the last call; 0 if there was none."""
        largest, self._largest = self._largest, 0
        return largest


_of_jobs: defaultdict[str, Batches] = defaultdict(Batches)


def of(job: str) -> Batches:
    """Those of a job."""
    return _of_jobs[job]
