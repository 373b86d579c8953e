"""Compares a field of a JSON record with the column that stores it, exactly and by type."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from jobs.targets import types
from lib.errors import JobError

# A field as text, and the column as text; whether they are one value.
Agrees = Callable[[str, str], bool]

_TIME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)(?:[T ](?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d+))?)?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?"
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a column is read as text, and compared."""

    column: str
    expression: str
    agrees: Agrees


def comparisons(kinds: Mapping[str, str], columns: Mapping[str, str]) -> list[Comparison]:
    """Those of the columns whose types have one exact text; `columns` has the quoted name of each.
    Arrays, maps, tuples and types without such a text are left out."""
    return [
        Comparison(name, expression.format(quoted), agrees)
        for name, quoted in columns.items()
        if name in kinds
        for expression, agrees in _of_type(name, kinds[name])
    ]


def _of_type(name: str, kind: str) -> list[tuple[str, Agrees]]:
    """The expression and the comparison of a type; none if it has none."""
    try:
        base = types.column(name, kind).base
    except JobError:
        return []
    if base in ("DateTime", "DateTime64"):
        return [("toString(toTimeZone({}, 'UTC'))", _same_time)]
    text = "toString({})"
    if re.fullmatch(r"U?Int\d+|Decimal", base):
        return [(text, _same_number)]
    families: dict[str, Agrees] = {
        "Float64": _same_double,
        "Float32": _same_float,
        "String": str.__eq__,
        "Enum8": str.__eq__,
        "Enum16": str.__eq__,
        "Bool": str.__eq__,
        "Date": str.__eq__,
        "Date32": str.__eq__,
        "FixedString": lambda field, stored: field == stored.rstrip("\0"),
        "UUID": lambda field, stored: field.lower() == stored,
    }
    return [(text, families[base])] if base in families else []


def _same_number(field: str, stored: str) -> bool:
    if field == stored:
        return True
    try:
        return Decimal(field) == Decimal(stored)
    except InvalidOperation:
        return False


def _same_double(field: str, stored: str) -> bool:
    if field == stored:
        return True
    try:
        return float(field) == float(stored)
    except ValueError:
        return False


def _same_float(field: str, stored: str) -> bool:
    try:
        return bool(np.float32(field) == np.float32(stored))
    except ValueError:
        return False


def _same_time(field: str, stored: str) -> bool:
    # As nearly every record has it.
    if field.replace("T", " ", 1).removesuffix("Z") == stored:
        return True
    return _instant(field) == _instant(stored) is not None


def _instant(text: str) -> tuple[str, str] | None:
    """A time in UTC, down to the second, and the digits of its fraction; None if it is no time."""
    match = _TIME.fullmatch(text)
    if not match:
        return None
    second = f"{match['day']} {match['time'] or '00:00:00'}"
    if match["zone"] not in (None, "Z", "+00:00"):
        try:
            local = datetime.fromisoformat(second + match["zone"])
        except ValueError:
            return None
        second = local.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return second, (match["fraction"] or "").rstrip("0")


_DECODER = json.JSONDecoder(parse_float=str, parse_int=str)
_SCALARS = {True: "true", False: "false"}


def read(value: bytes | None) -> dict[str, Any]:
    """The fields of the first object of a record, or of its first array; numbers as they are
    written. Raise ValueError if there is none."""
    # As the parser of Flink's format: UTF-8, UTF-16 or UTF-32, with a byte order mark or without.
    value = value or b""
    text = value.decode(json.detect_encoding(value)).lstrip()
    content, _ = _DECODER.raw_decode(text)
    if isinstance(content, list) and content:
        content = content[0]
    if not isinstance(content, dict):
        raise ValueError("not an object")
    return content


def differs(comparison: Comparison, fields: Mapping[str, Any], stored: str | None) -> bool:
    """Whether a column has another value than the field of its name; not if there is no such field,
    nor if that is an object or an array."""
    if comparison.column not in fields:
        return False
    field = fields[comparison.column]
    if isinstance(field, bool):
        field = _SCALARS[field]
    if isinstance(field, list | dict):
        return False
    if field is None or stored is None:
        return field is not stored
    return not comparison.agrees(field, stored)
