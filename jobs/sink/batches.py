"""What this process knows of the batches of a job: whether one was stored, how often it began."""

from collections import defaultdict


class Batches:
    """The batches of one job, of all its targets."""

    def __init__(self) -> None:
        # How many instances of the sink have opened: each start of a task opens new ones.
        self.opened = 0
        self._is_stored = False

    def note_open(self) -> None:
        """Note an instance of the sink that opens."""
        self.opened += 1

    def note(self) -> None:
        """Note a batch that is stored."""
        self._is_stored = True

    def take(self) -> bool:
        """Whether a batch was stored since the last call."""
        # If one is noted at this very moment, it is lost: the next comes soon.
        is_stored, self._is_stored = self._is_stored, False
        return is_stored


_of_jobs: defaultdict[str, Batches] = defaultdict(Batches)


def of(job: str) -> Batches:
    """Those of a job."""
    return _of_jobs[job]
