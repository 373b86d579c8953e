"""Ticks: the rules for valid values, and the message in Kafka."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from lib.pattern import Pattern

COLUMNS = ("symbol", "price", "volume", "timestamp")
MAX_VOLUME = 2**32 - 1

# sql/flink has the same rules for the job; tests/e2e/test_plan.py compares the two.
# As in JSON: float() would also take "1_000", "nan", " 1" and digits of other scripts.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# A fraction of zeros, or so few characters that the float is whole only if the text is.
_WHOLE = re.compile(rf"(?:0|[1-9][0-9]*)(?:\.0+)?|(?=.{{1,16}}\Z){_NUMBER.pattern}")
# ISO 8601 in UTC, with seconds; zeros after the microseconds are ignored.
_TIME = re.compile(
    r"(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)"
    r"(?:(?<=\.[0-9]{6})0+)?(?:Z|\+00:00)?"
)
# JSON may escape half of a pair, and Python keeps it; UTF-8 cannot.
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# The range of ClickHouse's DateTime64.
_YEARS = range(1900, 2300)
_encode = msgspec.json.Encoder().encode


class Tick(NamedTuple):
    """One trade; `timestamp` is in UTC, without a zone."""

    symbol: str
    price: float
    volume: int
    timestamp: datetime

    def message(self) -> bytes:
        """The value of the Kafka record, always with six digits of microseconds."""
        timestamp = self.timestamp.isoformat(timespec="microseconds")
        return _encode(self._asdict() | {"timestamp": timestamp})


def parse(row: Mapping[str, object], symbols: Pattern) -> Tick:
    """Make a tick of a row's values; raise ValueError that names the invalid value."""
    missing = [column for column in COLUMNS if row.get(column) in (None, "")]
    if missing:
        raise ValueError(f"has no {', '.join(missing)}")
    return Tick(
        _symbol(row["symbol"], symbols),
        _price(row["price"]),
        _volume(row["volume"]),
        _timestamp(row["timestamp"]),
    )


def _symbol(value: object, symbols: Pattern) -> str:
    if not isinstance(value, str) or not symbols.matches(value):
        raise ValueError(f"symbol {_shown(value)} does not match {_shown(symbols)}")
    if _SURROGATE.search(value):
        raise ValueError(f"symbol {_shown(value)} has a lone surrogate, which UTF-8 cannot encode")
    return value


def _price(value: object) -> float:
    price = _number(value, _NUMBER)
    if 0 < price < math.inf:
        return float(price)
    raise ValueError(f"price {_shown(value)} is not a finite number above 0")


def _volume(value: object) -> int:
    volume = _number(value, _WHOLE)
    if 0 <= volume <= MAX_VOLUME and volume == int(volume):
        return int(volume)
    raise ValueError(f"volume {_shown(value)} is not a whole number from 0 to {MAX_VOLUME}")


def _timestamp(value: object) -> datetime:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    try:
        time = datetime.fromisoformat(match["time"]) if match else value
        if isinstance(time, datetime):
            time = time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
            if time.year in _YEARS:
                return time
    except (ValueError, OverflowError):
        pass
    raise ValueError(
        f"timestamp {_shown(value)} is not a time in UTC as 2024-01-30T10:00:01.123456Z, "
        f"{_YEARS[0]} to {_YEARS[-1]}"
    )


def _number(value: object, grammar: re.Pattern[str]) -> float | Decimal:
    """The value, or the float nearest to a text; NaN for anything else."""
    if isinstance(value, str):
        return float(value) if grammar.fullmatch(value) else math.nan
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    return math.nan


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
