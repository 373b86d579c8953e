"""Pages by keyset: a cursor holds the keys of the last row sent, so new rows shift nothing."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.network import IPv4, IPv6
from clickhouse_connect.datatypes.numeric import BigInt, Bool, Decimal, Enum, Float
from clickhouse_connect.datatypes.special import UUID
from clickhouse_connect.datatypes.string import FixedString, String
from clickhouse_connect.datatypes.temporal import Date, DateTime64, DateTimeBase

from api.contract.parameter_declarations import Declaration
from api.contract.scalars import INTEGERS
from lib.clickhouse_types import plain
from lib.errors import SqlFileError
from lib.quoting import escape, quote_name

LIMIT = Declaration("limit", "100", "1", "100000", None, "How many rows a page has at most.")
_KEY = re.compile(r"(?P<column>[A-Za-z_]\w*)(?:\s+(?P<order>asc|desc))?", re.IGNORECASE)
_TYPES = (BigInt, Decimal, Bool, String, FixedString, UUID, IPv4, IPv6, Enum, Date, DateTimeBase)

# NULL, as ClickHouse reads it: the value of the first key before the first page.
NO_ROW = "\\N"

# A cursor's value as in a JSON row; a Float that is not finite is null there.
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Key:
    """A column that orders the rows."""

    column: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Term:
    """An expression that orders the rows, and its value in the cursor's row."""

    sql: str
    descending: bool
    last: str


def keys(place: str, text: str) -> tuple[Key, ...]:
    """The columns of `@page a desc, b`; raise SqlFileError."""
    columns = []
    for part in text.split(","):
        match = _KEY.fullmatch(part.strip())
        if not match:
            raise SqlFileError(
                f"{place}: @page {text}: not understood; write `-- @page column desc, column`."
            )
        columns.append(Key(match["column"], (match["order"] or "").lower() == "desc"))
    return tuple(columns)


def key_type(column: ClickHouseType | None) -> ClickHouseType:
    """The type of a column that orders rows; raise ValueError if it cannot order pages."""
    if column is None or not (column.base_type in INTEGERS or isinstance(column, (*_TYPES, Float))):
        name = column.name if column else "unknown to this API"
        raise ValueError(f"is {name}, which no cursor can hold; use another column")
    if column.nullable:
        raise ValueError("may be NULL, which has no order; use another column")
    return column


def encode(name: str, keys: Sequence[Key], row: Mapping[str, Any]) -> str:
    """An opaque cursor that points behind a row."""
    parts = [_fingerprint(name, keys), *(row[key.column] for key in keys)]
    # Not msgspec, which refuses bytes that are not UTF-8.
    return urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode(
    name: str, keys: Sequence[Key], kinds: Sequence[ClickHouseType], cursor: str
) -> dict[str, str]:
    """The values to bind, in the order of the keys; raise ValueError for a cursor of another
    endpoint or form."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        fingerprint, *values = json.loads(text)
    except (Base64Error, TypeError, ValueError, RecursionError):
        raise ValueError(cursor) from None
    if fingerprint != _fingerprint(name, keys) or len(values) != len(keys):
        raise ValueError(cursor)
    return {
        f"_cursor_{number}": _bind(kind, value)
        for number, (kind, value) in enumerate(zip(kinds, values, strict=True))
    }


def after(keys: Sequence[Key], kinds: Sequence[ClickHouseType]) -> str:
    """The condition for rows after the cursor's row."""
    condition = ""
    for term in reversed(_terms(keys, kinds)):
        sign = "<" if term.descending else ">"
        if not condition:
            condition = f"{term.sql} {sign} {term.last}"
        else:
            # The first part follows from the second; it lets ClickHouse use the index.
            condition = (
                f"{term.sql} {sign}= {term.last} AND ({term.sql} {sign} {term.last}"
                f" OR ({term.sql} = {term.last} AND {condition}))"
            )
    return condition


def order(keys: Sequence[Key], kinds: Sequence[ClickHouseType]) -> str:
    """The expressions of ORDER BY."""
    terms = _terms(keys, kinds)
    return ", ".join(f"{term.sql}{' DESC' if term.descending else ''}" for term in terms)


def _terms(keys: Sequence[Key], kinds: Sequence[ClickHouseType]) -> list[Term]:
    terms = []
    for number, (key, kind) in enumerate(zip(keys, kinds, strict=True)):
        column, last = quote_name(key.column), f"{{_cursor_{number}:{_bound_type(kind)}}}"
        if isinstance(kind, Float):
            # NaN and infinity are null in JSON, so they are one value, which comes last. Adding 0
            # makes -0 and 0 one value, as they are equal in comparisons but not in every sort.
            terms.append(Term(f"(NOT isFinite({column}))", False, f"isNull({last})"))
            column, last = f"if(isFinite({column}), {column}, 0) + 0", f"ifNull({last}, 0)"
        terms.append(Term(column, key.descending, last))
    return terms


def _bound_type(kind: ClickHouseType) -> str:
    """The type of the query parameter that holds the cursor's value."""
    kind = plain(kind)
    if isinstance(kind, DateTime64):
        return f"DateTime64({kind.scale}, 'UTC')"
    if isinstance(kind, DateTimeBase):
        return "DateTime('UTC')"
    name = kind.name.removeprefix("LowCardinality(").removesuffix(")" * kind.low_card)
    return f"Nullable({name})" if isinstance(kind, Float) else name


def _bind(kind: ClickHouseType, value: Value) -> str:
    """A value of a JSON row as ClickHouse reads it from a query parameter, exactly."""
    if isinstance(kind, Float) and value is None:
        return NO_ROW
    if not isinstance(value, (int, float) if isinstance(kind, Float) else (int, str)):
        raise ValueError(value)
    if isinstance(kind, Float):
        return repr(float(value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(kind, DateTimeBase):
        scale = kind.scale if isinstance(kind, DateTime64) else 0
        # 2024-01-30T10:00:01.123456Z without the T, the Z, and digits beyond the type's scale.
        return str(value)[: 20 + scale if scale else 19].replace("T", " ")
    return escape(str(value))


def _fingerprint(name: str, keys: Sequence[Key]) -> str:
    """A hash by which a cursor of another endpoint, or of other columns, is refused."""
    return blake2b(f"{name} {keys}".encode(), digest_size=4).hexdigest()
