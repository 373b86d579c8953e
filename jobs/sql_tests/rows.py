"""Rows as text: of a view or an endpoint, in CSV or NDJSON, and their difference."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from lib.errors import SqlTestError, one_line
from lib.files import show

Row = Mapping[str, Any]
# As ClickHouse and MySQL write it, for an empty field is an empty text.
NULL = "\\N"


def plain(value: object) -> Any:
    """A value of Flink or of JSON as JSON has it: times in ISO 8601, decimals as text, bytes in
    hexadecimal."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if abs(value) != float("inf") and value == value else str(value)
        case datetime():
            return (
                value.astimezone(UTC).replace(tzinfo=None).isoformat()
                if value.tzinfo
                else value.isoformat()
            )
        case date() | time():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case bytes() | bytearray():
            return value.hex()
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case _ if hasattr(value, "as_dict"):
            return plain(value.as_dict())
        case _ if isinstance(value, Iterable):
            return [plain(each) for each in value]
    return str(value)


def read(file: Path) -> tuple[list[str], list[str]]:
    """The columns that the rows of a file name, none if it has no rows, and the rows, each as a
    text that is the same for equal rows; raise SqlTestError if it is not in its format."""
    try:
        # As it is: a value may hold any kind of line break.
        text = file.read_bytes().decode()
        if file.suffix == ".csv":
            lines = [*csv.reader(io.StringIO(text, newline=""))]
            return lines[0] if lines else [], [_csv_line(line) for line in lines]
        objects = [json.loads(line) for line in text.split("\n") if line.strip()]
        if others := [each for each in objects if each.keys() != objects[0].keys()]:
            raise ValueError(f"{_json_line(others[0])} has other columns than the first row")
        return [*objects[0]] if objects else [], [
            _json_line({name: each[name] for name in objects[0]}) for each in objects
        ]
    except FileNotFoundError:
        raise SqlTestError(
            f"{show(file)}: not found; write it, or run the case with --update."
        ) from None
    except (ValueError, TypeError, AttributeError, csv.Error) as error:
        raise SqlTestError(f"{show(file)}: {one_line(error)}; fix it.") from None


def written(
    columns: Sequence[str], found: Iterable[Row], suffix: str, *, in_order: bool = False
) -> list[str]:
    """Rows as `read` returns them from a file with this suffix, in their own order or in that of
    their text."""
    if suffix == ".csv":
        head = [_csv_line(columns)]
        texts = [_csv_line([_cell(row[name]) for name in columns]) for row in found]
    else:
        head = []
        texts = [_json_line({name: row[name] for name in columns}) for row in found]
    return head + (texts if in_order else sorted(texts))


def difference(
    expected: Sequence[str], came: Sequence[str], *, in_order: bool = False
) -> list[str]:
    """The rows that are missing, with -, and those that should not be there, with +. If those are
    none, but the order of the others counts and is another: the first pair that is."""
    missing = Counter(expected) - Counter(came)
    extra = Counter(came) - Counter(expected)
    lines = [(row, "-") for row in missing.elements()] + [(row, "+") for row in extra.elements()]
    if in_order and not lines:
        pairs = zip(expected, came, strict=True)
        lines = next(([(a, "-"), (b, "+")] for a, b in pairs if a != b), [])
        return [f"{sign} {row}  (another order)" for row, sign in lines]
    return [f"{sign} {row}" for row, sign in sorted(lines)]


def _cell(value: Any) -> str:
    if value is None:
        return NULL
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    # Both characters, for then a field with one of them is quoted.
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().removesuffix("\r\n")


def _json_line(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False)
