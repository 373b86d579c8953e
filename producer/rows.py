"""Rows of text: CSV or JSON lines. A row that could be read in two ways is none."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

from lib.errors import ReplayError
from producer.tick import COLUMNS


class Row(NamedTuple):
    """One row: where it begins (its line in a text file, or its number in Parquet, both from 1),
    and its values by column, or why it is none."""

    number: int
    values: object


def read_csv(lines: Iterator[str], path: Path) -> Iterator[Row]:
    """The rows below the header; raise ReplayError at once if the header has not the columns."""
    text = _Text(lines)
    reader = csv.reader(text, strict=True, skipinitialspace=True)
    header = [name.strip() for name in _next(reader, 0, path) or []]
    check_columns(path, header)
    return _csv_rows(reader, header, text, path)


def read_json(lines: Iterator[str], _: Path) -> Iterator[Row]:
    """One row per line that is not blank; numbers stay the text that they are."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield Row(number, _decode(line))
            except (ValueError, RecursionError) as error:
                yield Row(number, ValueError(f"is not JSON: {error}"))


def check_columns(path: Path, names: list[str]) -> None:
    """Raise ReplayError unless each column is there, and no name twice.

    A name may be blank, as that of the index which pandas writes."""
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        found = ", ".join(names) or "none"
        raise ReplayError(f"{path}: has no column {', '.join(missing)} (found: {found}); add it.")
    doubled = [name for name, times in Counter(names).items() if name and times > 1]
    if doubled:
        raise ReplayError(f"{path}: has two columns {', '.join(doubled)}; rename or drop one.")


class _Text:
    """The lines as they go to the CSV reader: how many, and the last of them."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.count, self.last = 0, ""

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.count += 1
            self.last = line
            yield line


def _csv_rows(
    reader: Iterator[list[str]], header: list[str], text: _Text, path: Path
) -> Iterator[Row]:
    # What a file lost at its end does not show in a value that could be shorter.
    is_open = header[-1] in COLUMNS
    begin = text.count
    while (cells := _next(reader, begin, path)) is not None:
        if len(cells) not in (0, len(header)):
            fact = f"has {len(cells)} values, and the header has {len(header)} columns"
            yield Row(begin + 1, ValueError(fact))
        elif cells and is_open and text.last[-1] not in '\n"':
            fact = "does not end with a newline, so its last value may be cut off"
            yield Row(begin + 1, ValueError(fact))
        elif cells:
            yield Row(begin + 1, dict(zip(header, cells, strict=True)))
        begin = text.count


def _next(reader: Iterator[list[str]], begin: int, path: Path) -> list[str] | None:
    """The next row, or None after the last; raise ReplayError for quotes that do not match, behind
    which no row is certain."""
    try:
        return next(reader, None)
    except csv.Error as error:
        fact = f"is not CSV: {error}; check the quotes from this line on"
        raise ReplayError(f"{path}:{begin + 1}: {fact}.") from error


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        doubled = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"it has {doubled!r} twice")
    return values


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no value")


_decode = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=str, parse_float=str, parse_constant=_refuse
).decode
