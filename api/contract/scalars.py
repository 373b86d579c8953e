"""What a parameter takes: text from an address, read, checked and written for ClickHouse.

ClickHouse binds the value itself; what is written here is its text form, never SQL.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from clickhouse_connect.datatypes import special
from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.numeric import BFloat16, Bool, Enum, Float
from clickhouse_connect.datatypes.string import String
from clickhouse_connect.datatypes.temporal import Date, DateTime64, DateTimeBase

Schema = dict[str, Any]

INTEGERS: dict[str | None, tuple[int, int]] = {
    name: limits
    for bits in (8, 16, 32, 64)
    for name, limits in (
        (f"UInt{bits}", (0, 2**bits - 1)),
        (f"Int{bits}", (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)),
    )
}

_INTEGER = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_FLOAT = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[T ](?P<time>\d\d:\d\d(?::\d\d)?)(?:(?<=:\d\d:\d\d)\.(?P<decimals>\d{1,6}))?"
    r"(?P<zone>Z|[+ -]\d\d:?\d\d)?)?",
    re.ASCII,
)
# For descriptions, which have no other way to say that there is no 30th of February. A zone may
# shift a time over the ends of a type's range, so the years at the ends are left out.
_YEARS: dict[str | None, str] = {
    "Date": r"(19[7-9]\d|20\d\d|21[0-3]\d|214[0-8])",
    "Date32": r"(19\d\d|2[0-2]\d\d)",
    "DateTime": r"(19(7[1-9]|[89]\d)|20\d\d|210[0-5])",
    "DateTime64": r"(19(0[1-9]|[1-9]\d)|2[01]\d\d|22([0-8]\d|9[0-8]))",
}
_DAYS = (
    r"((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)"
    r"|02-(0[1-9]|1\d|2[0-8]))"
)
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_ZONE = r"(Z|[+-](0\d|1[0-4]):?[0-5]\d)?"
# What the types hold, as ClickHouse documents it.
_RANGES: dict[str | None, tuple[Any, Any]] = {
    "Date": (date(1970, 1, 1), date(2149, 6, 6)),
    "Date32": (date(1900, 1, 1), date(2299, 12, 31)),
    "DateTime": (datetime(1970, 1, 1, tzinfo=UTC), datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC)),
    "DateTime64": (
        datetime(1900, 1, 1, tzinfo=UTC),
        datetime(2299, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ),
}
TYPES = [
    *map(str, [*INTEGERS, "Float32", "Float64", "Bool", "String", "UUID", *_RANGES]),
    "Enum8", "Enum16",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value: what it takes in words and as a JSON schema, how it is read and written."""

    takes: str
    schema: Schema
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


def scalar(kind: ClickHouseType) -> Scalar:
    """How values of a plain type are taken; raise ValueError for a type that no address can say."""
    if kind.base_type in INTEGERS:
        return _integer(*INTEGERS[kind.base_type])
    match kind:
        case Float() | BFloat16():
            return Scalar("a number", {"type": "number"}, _read_float, repr)
        case DateTimeBase():
            return _time(kind)
        case Date():
            return _day(kind)
        case Enum():
            return _enum([*kind.type_def.keys])
        case Bool():
            schema = {"type": "boolean"}
            return Scalar("true or false", schema, _read_bool, lambda value: str(value).lower())
        case String():
            return Scalar("text", {"type": "string"}, _read_text)
        case special.UUID():
            return Scalar("a UUID", {"type": "string", "format": "uuid"}, UUID)
    raise refused(kind.name)


def refused(kind: str) -> ValueError:
    """For a type that no parameter can have."""
    return ValueError(f"{kind} is no type for a parameter; use one of {', '.join(TYPES)}")


def _integer(low: int, high: int) -> Scalar:
    def read(text: str) -> int:
        if not _INTEGER.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    schema = {"type": "integer", "minimum": low, "maximum": high}
    return Scalar(f"a whole number from {low} to {high}", schema, read)


def _read_float(text: str) -> float:
    if not _FLOAT.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError(text)
    return float(text)


def _read_bool(text: str) -> bool:
    if text not in ("true", "false", "1", "0"):
        raise ValueError(text)
    return text in ("true", "1")


def _read_text(text: str) -> str:
    if "\0" in text:
        raise ValueError(text)
    return text


def _enum(members: list[str]) -> Scalar:
    def read(text: str) -> str:
        if text not in members:
            raise ValueError(text)
        return text

    return Scalar(f"one of {', '.join(members)}", {"type": "string", "enum": members}, read)


def _day(kind: Date) -> Scalar:
    low, high = _RANGES[kind.base_type]

    def read(text: str) -> date:
        if not _DATE.fullmatch(text) or not low <= date.fromisoformat(text) <= high:
            raise ValueError(text)
        return date.fromisoformat(text)

    schema = {"type": "string", "pattern": f"^{_YEARS[kind.base_type]}-{_DAYS}$"}
    return Scalar(f"a date from {low} to {high}, as 2024-01-30", schema, read)


def _time(kind: DateTimeBase) -> Scalar:
    low, high = _RANGES[kind.base_type]
    decimals = kind.scale if isinstance(kind, DateTime64) else 0
    if kind.type_def.values[-1:] != ("'UTC'",) or decimals > 6:
        text = "DateTime64(6, 'UTC')" if isinstance(kind, DateTime64) else "DateTime('UTC')"
        raise ValueError(f"a time is taken in UTC, to the microsecond at most; write {text}")

    def read(text: str) -> datetime:
        value = read_time(text)
        if not low <= value <= high or value.microsecond % 10 ** (6 - decimals):
            raise ValueError(text)
        return value

    def write(value: datetime) -> str:
        form = "%Y-%m-%d %H:%M:%S.%f" if decimals else "%Y-%m-%d %H:%M:%S"
        return value.strftime(form)

    unit = f" with up to {decimals} decimals" if decimals else ""
    takes = f"a time as 2024-01-30T10:00:01Z{unit}; without a zone it is UTC"
    # No "format": a date-time of JSON Schema must name its zone, and here it need not.
    fraction = rf"(\.\d{{1,{decimals}}})?" if decimals else ""
    clock = rf"([T ]{_CLOCK}(:[0-5]\d{fraction})?{_ZONE})?"
    pattern = f"^{_YEARS[kind.base_type]}-{_DAYS}{clock}$"
    example = "2024-01-30T10:00:01.123456Z" if decimals == 6 else "2024-01-30T10:00:01Z"
    schema = {"type": "string", "pattern": pattern, "examples": [example]}
    return Scalar(takes, schema, read, write)


def read_time(text: str) -> datetime:
    """An ISO-8601 time in UTC; raise ValueError if it is none."""
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError(text)
    # A plus sign that was not percent-encoded arrives as a space.
    zone = (match["zone"] or "Z").replace(" ", "+")
    value = datetime.fromisoformat(f"{match['date']}T{match['time'] or '00:00'}{zone}")
    try:
        value = value.astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None
    return value + timedelta(microseconds=int((match["decimals"] or "0").ljust(6, "0")))
