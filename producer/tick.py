"""A tick: what makes one valid, and the message it becomes."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

COLUMNS = ("symbol", "price", "volume", "timestamp")
MAX_VOLUME = 2**32 - 1

# ASCII digits only: float() would also take "1_000", "nan" and digits of other scripts.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SYMBOL = re.compile(r"[A-Z0-9.-]{1,16}")
_encode = msgspec.json.Encoder().encode


class Tick(NamedTuple):
    """One trade; `timestamp` is UTC and carries no zone."""

    symbol: str
    price: float
    volume: int
    timestamp: datetime

    def message(self) -> bytes:
        """The value of the Kafka record, always with six digits of microseconds."""
        timestamp = self.timestamp.isoformat(timespec="microseconds")
        return _encode(self._asdict() | {"timestamp": timestamp})


def is_symbol(value: object) -> bool:
    return isinstance(value, str) and _SYMBOL.fullmatch(value) is not None


def parse(row: Mapping[str, object]) -> Tick:
    """Make a tick of a row's values; raise ValueError saying which value cannot be one."""
    missing = [column for column in COLUMNS if row.get(column) in (None, "")]
    if missing:
        raise ValueError(f"has no {', '.join(missing)}")
    return Tick(
        _symbol(row["symbol"]),
        _price(row["price"]),
        _volume(row["volume"]),
        _timestamp(row["timestamp"]),
    )


def _symbol(value: object) -> str:
    if isinstance(value, str) and is_symbol(value):
        return value
    raise ValueError(f"symbol {_shown(value)} is not 1-16 characters of A-Z 0-9 . -")


def _price(value: object) -> float:
    price = _number(value)
    if 0 < price < math.inf:
        return price
    raise ValueError(f"price {_shown(value)} is not a finite number above 0")


def _volume(value: object) -> int:
    volume = _number(value)
    if volume.is_integer() and 0 <= volume <= MAX_VOLUME:
        return int(volume)
    raise ValueError(f"volume {_shown(value)} is not a whole number from 0 to {MAX_VOLUME}")


def _timestamp(value: object) -> datetime:
    try:
        time = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
        if isinstance(time, datetime):
            return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"timestamp {_shown(value)} is not ISO-8601")


def _number(value: object) -> float:
    """The value as a float, NaN for anything that is no number."""
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value := value.strip()) else math.nan
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return math.nan


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
