"""New lines of several log files, as `tail -f` prints them, each with its program's name."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Event

# How often the files are read, in seconds.
INTERVAL = 0.2


class Tail:
    """One file, read from its end on; a file that is truncated is read from its start."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._position = file.stat().st_size if file.exists() else 0
        self._rest = b""

    def lines(self) -> list[str]:
        """The whole lines that were written since the last call."""
        if not self._file.exists():
            return []
        with self._file.open("rb") as stream:
            if stream.seek(0, 2) < self._position:
                self._position = 0
            stream.seek(self._position)
            text = self._rest + stream.read()
            self._position = stream.tell()
        *lines, self._rest = text.split(b"\n")
        return [line.decode("utf-8", "replace").rstrip() for line in lines if line.strip()]


def follow(files: Mapping[str, Path], ended: Event) -> Iterator[tuple[str, str]]:
    """(name, line) of all files as they come from this call on, until `ended`."""
    # Made here, not in the generator, which begins only when its first line is read.
    tails = {name: Tail(file) for name, file in files.items()}
    return _lines(tails, ended)


def _lines(tails: Mapping[str, Tail], ended: Event) -> Iterator[tuple[str, str]]:
    is_last = False
    while not is_last:
        # Read once more after the end, for the last lines.
        is_last = ended.wait(INTERVAL)
        for name, tail in tails.items():
            for line in tail.lines():
                yield name, line
