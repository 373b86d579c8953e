"""Pages by keyset: a cursor names the last row that was sent, so arriving rows shift nothing."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

from api import types, values
from api.params import Declared
from api.types import Type
from lib.errors import SqlFileError

LIMIT = Declared("limit", "100", "1", "100000", None, "How many rows a page has at most.")
_KEY = re.compile(r"(?P<column>[A-Za-z_]\w*)(?:\s+(?P<order>asc|desc))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Key:
    """A column that orders the rows."""

    column: str
    descending: bool


def keys(place: str, text: str) -> tuple[Key, ...]:
    """The columns of `@page a desc, b`; raise SqlFileError if they are none."""
    found = []
    for part in text.split(","):
        match = _KEY.fullmatch(part.strip())
        if not match:
            raise SqlFileError(
                f"{place}: @page {text}: not understood; write `-- @page column desc, column`."
            )
        found.append(Key(match["column"], (match["order"] or "").lower() == "desc"))
    return tuple(found)


def key_type(column: Type) -> Type:
    """The type that a column's value is bound as; raise ValueError if no page can follow it."""
    if types.is_nullable(column):
        raise ValueError("may be NULL, which has no place in an order; use another column")
    kind = types.plain(column)
    if kind.name in types.FLOATS:
        raise ValueError("is a Float, which may be NaN; use another column")
    if kind.name.startswith("DateTime"):
        kind = Type(kind.name, (*kind.arguments[: kind.name == "DateTime64"], "'UTC'"))
    values.scalar(kind)
    return kind


def encode(name: str, keys: Sequence[Key], row: Mapping[str, Any]) -> str:
    """An opaque cursor after a row."""
    parts = [_mark(name, keys), *(row[key.column] for key in keys)]
    return urlsafe_b64encode(msgspec.json.encode(parts)).decode().rstrip("=")


def decode(name: str, keys: Sequence[Key], kinds: Sequence[Type], cursor: str) -> dict[str, str]:
    """The values to bind; raise ValueError for a cursor that this endpoint has not given."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        mark, *found = msgspec.json.decode(text, type=list[str | int | bool])
    except (Base64Error, UnicodeError, msgspec.DecodeError):
        raise ValueError(cursor) from None
    if mark != _mark(name, keys) or len(found) != len(keys):
        raise ValueError(cursor)
    scalars = [values.scalar(kind) for kind in kinds]
    return {
        f"_cursor_{number}": values.escaped(scalar.write(scalar.read(_text(value))))
        for number, (scalar, value) in enumerate(zip(scalars, found, strict=True))
    }


def after(keys: Sequence[Key], kinds: Sequence[Type]) -> str:
    """The condition that a row comes after the cursor's."""
    condition = ""
    for number in reversed(range(len(keys))):
        column, sign = f"`{keys[number].column}`", "<" if keys[number].descending else ">"
        place = f"{{_cursor_{number}:{_written(kinds[number])}}}"
        if not condition:
            condition = f"{column} {sign} {place}"
        else:
            # The first part repeats what the second implies, for the index.
            condition = (
                f"{column} {sign}= {place} AND "
                f"({column} {sign} {place} OR ({column} = {place} AND {condition}))"
            )
    return condition


def order(keys: Sequence[Key]) -> str:
    """What follows ORDER BY."""
    return ", ".join(f"`{key.column}`{' DESC' if key.descending else ''}" for key in keys)


def _mark(name: str, keys: Sequence[Key]) -> str:
    """So that a cursor is refused when it is another endpoint's, or its columns have changed."""
    return blake2b(f"{name} {order(keys)}".encode(), digest_size=4).hexdigest()


def _written(kind: Type) -> str:
    return f"{kind.name}({', '.join(kind.arguments)})" if kind.arguments else kind.name


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
