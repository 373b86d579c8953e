"""Read rows of CSV and JSON lines. A row that could be read in two ways is invalid."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

from lib.errors import ReplayError
from producer.tick import COLUMNS


class Row(NamedTuple):
    """One row: its first line in a text file or its number in Parquet, from 1, and its values by
    column, or a ValueError if it is invalid."""

    number: int
    values: object


def read_csv(lines: Iterator[str], path: Path) -> Iterator[Row]:
    """The rows below the header; raise ReplayError at once if a column is missing."""
    text = _Text(lines)
    reader = csv.reader(text, strict=True, skipinitialspace=True)
    header = [name.strip() for name in _next(reader, 0, path) or []]
    check_columns(path, header)
    return _csv_rows(reader, header, text, path)


def read_json(lines: Iterator[str], _: Path) -> Iterator[Row]:
    """One row per line that is not blank; numbers stay texts, as they are written."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield Row(number, _decode(line))
            except (ValueError, RecursionError) as error:
                yield Row(number, ValueError(f"is not JSON: {error}"))


def check_columns(path: Path, names: list[str]) -> None:
    """Raise ReplayError if a column is missing or a name occurs twice.

    A name may be blank, as that of the index in a file by pandas."""
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        columns = ", ".join(names) or "none"
        raise ReplayError(f"{path}: has no column {', '.join(missing)} (found: {columns}); add it.")
    doubled = [name for name, times in Counter(names).items() if name and times > 1]
    if doubled:
        raise ReplayError(f"{path}: has two columns {', '.join(doubled)}; rename or drop one.")


class _Text:
    """The lines for the CSV reader; knows their count and the last one."""

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
    # If the last column is one of a tick, its last value does not show that the file is cut off.
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
    """The next row, or None after the last; raise ReplayError for quotes that do not match, since
    no row after them is certain."""
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
    raise ValueError(f"{constant} is not a value")


_decode = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=str, parse_float=str, parse_constant=_refuse
).decode
