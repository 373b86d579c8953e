"""Dates and times as parameters: ISO 8601 text, in UTC."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from clickhouse_connect.datatypes.temporal import Date, DateTime64, DateTimeBase

from api.contract.scalars import Scalar

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIMESTAMP = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[T ](?P<time>\d\d:\d\d(?::\d\d)?)(?:(?<=:\d\d:\d\d)\.(?P<decimals>\d{1,6}))?"
    r"(?P<zone>Z|[+ -]\d\d:?\d\d)?)?",
    re.ASCII,
)
# The range of each type, as ClickHouse documents it.
RANGES: dict[str | None, tuple[Any, Any]] = {
    "Date": (date(1970, 1, 1), date(2149, 6, 6)),
    "Date32": (date(1900, 1, 1), date(2299, 12, 31)),
    "DateTime": (datetime(1970, 1, 1, tzinfo=UTC), datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC)),
    "DateTime64": (
        datetime(1900, 1, 1, tzinfo=UTC),
        datetime(2299, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ),
}
# Patterns for JSON schemas, which cannot express otherwise that there is no 30th of February. A
# zone may move a time past the end of a type's range, so the first and last years are left out.
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


def date_scalar(kind: Date) -> Scalar:
    """A day within the range of its type."""
    low, high = RANGES[kind.base_type]

    def parse(text: str) -> date:
        if not _DATE.fullmatch(text) or not low <= date.fromisoformat(text) <= high:
            raise ValueError(text)
        return date.fromisoformat(text)

    schema = {"type": "string", "pattern": f"^{_YEARS[kind.base_type]}-{_DAYS}$"}
    return Scalar(f"a date from {low} to {high}, as 2024-01-30", schema, parse)


def timestamp_scalar(kind: DateTimeBase) -> Scalar:
    """A time within the range and precision of its type; raise ValueError for a type that is not
    in UTC or finer than microseconds."""
    low, high = RANGES[kind.base_type]
    decimals = kind.scale if isinstance(kind, DateTime64) else 0
    if kind.type_def.values[-1:] != ("'UTC'",) or decimals > 6:
        name = "DateTime64(6, 'UTC')" if isinstance(kind, DateTime64) else "DateTime('UTC')"
        raise ValueError(f"a time must be in UTC, to the microsecond at most; write {name}")

    def parse(text: str) -> datetime:
        value = parse_timestamp(text)
        if not low <= value <= high or value.microsecond % 10 ** (6 - decimals):
            raise ValueError(text)
        return value

    def write(value: datetime) -> str:
        return value.strftime("%Y-%m-%d %H:%M:%S.%f" if decimals else "%Y-%m-%d %H:%M:%S")

    unit = f" with up to {decimals} decimals" if decimals else ""
    takes = f"a time as 2024-01-30T10:00:01Z{unit}; without a zone it is UTC"
    # No "format": a date-time of JSON Schema must have a zone, and here it need not.
    fraction = rf"(\.\d{{1,{decimals}}})?" if decimals else ""
    clock = rf"([T ]{_CLOCK}(:[0-5]\d{fraction})?{_ZONE})?"
    pattern = f"^{_YEARS[kind.base_type]}-{_DAYS}{clock}$"
    example = "2024-01-30T10:00:01.123456Z" if decimals == 6 else "2024-01-30T10:00:01Z"
    schema = {"type": "string", "pattern": pattern, "examples": [example]}
    return Scalar(takes, schema, parse, write)


def parse_timestamp(text: str) -> datetime:
    """An ISO 8601 time in UTC; raise ValueError if it is not one."""
    match = _TIMESTAMP.fullmatch(text)
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
