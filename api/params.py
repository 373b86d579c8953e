"""Parameters of an endpoint: what they take, what a request gives, what is bound."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api import values
from api.values import Scalar, Schema

# What a list may hold where its file sets no bound.
MOST_ITEMS = 1000


@dataclass(frozen=True, slots=True)
class Declared:
    """One @param line, taken apart."""

    name: str
    default: str | None
    low: str
    high: str
    pattern: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Param:
    """A typed parameter; `default` and the bounds are values, not text."""

    name: str
    type: str
    text: str
    scalar: Scalar
    is_array: bool
    is_nullable: bool
    required: bool
    default: Any = None
    low: Any = None
    high: Any = None
    pattern: str | None = None

    @property
    def is_sized(self) -> bool:
        """Whether the bounds are of the size: of a list, or of a text."""
        return self.is_array or self.scalar.schema == {"type": "string"}

    @property
    def takes(self) -> str:
        """What the parameter takes, in words."""
        words = self.scalar.takes
        if self.is_array:
            words = f"a list, each {words}"
        if self.pattern:
            words += f" matching {self.pattern}"
        return words + self._bounds()

    def _bounds(self) -> str:
        if self.low is None and self.high is None:
            return ""
        unit = (" values" if self.is_array else " characters") if self.is_sized else ""
        if self.high is None:
            return f", at least {self.low}{unit}"
        if self.low is None:
            return f", at most {self.high}{unit}"
        return f", {self.low} to {self.high}{unit}"

    @property
    def schema(self) -> Schema:
        """The parameter as a JSON schema."""
        schema = {**self.scalar.schema}
        if self.pattern:
            schema["pattern"] = f"^(?:{self.pattern})$"
        if self.is_array:
            schema = {"type": "array", "items": schema}
        low, high = _BOUND_WORDS["array" if self.is_array else schema["type"]]
        if self.scalar.schema["type"] != "string" or self.is_sized:
            schema |= {low: self.low} if self.low is not None else {}
            schema |= {high: self.high} if self.high is not None else {}
        if self.is_array:
            schema["minItems"] = max(1, self.low or 1)
        if not self.required and self.default not in (None, []):
            schema["default"] = _plain(self.default)
        return schema


_BOUND_WORDS = {
    "array": ("minItems", "maxItems"),
    "string": ("minLength", "maxLength"),
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
    "boolean": ("minimum", "maximum"),
}


def read(param: Param, texts: Sequence[str]) -> Any:
    """The value that a request gives; raise ValueError if it is not what the parameter takes."""
    if param.is_array:
        # `symbols=` is a list of one empty text: a variable that was empty must not mean "all".
        items = [item for text in texts for item in text.split(",")]
        found: Any = [_read_one(param, item) for item in items]
        if len(found) > (MOST_ITEMS if param.high is None else param.high):
            raise ValueError(len(found))
    else:
        if len(texts) != 1:
            raise ValueError(len(texts))
        found = _read_one(param, texts[0])
    size = len(found) if param.is_sized else found
    if (param.low is not None and size < param.low) or (
        param.high is not None and size > param.high
    ):
        raise ValueError(size)
    return found


def bound(param: Param, value: Any) -> str:
    """The value as ClickHouse reads it from a query parameter."""
    if value is None:
        return "\\N"
    if param.is_array:
        return f"[{','.join(values.quoted(param.scalar.write(item)) for item in value)}]"
    return values.escaped(param.scalar.write(value))


def sample(param: Param) -> Any:
    """A value that the parameter's type takes, to ask ClickHouse what the SQL answers."""
    if not param.required:
        return param.default
    if param.is_array:
        return []
    for text in ("0", "1970-01-01", *param.scalar.schema.get("enum", []), str(param.low)):
        try:
            return param.scalar.read(text)
        except ValueError:
            continue
    return param.scalar.read("00000000-0000-0000-0000-000000000000")


def _read_one(param: Param, text: str) -> Any:
    if param.pattern and not re.fullmatch(param.pattern, text):
        raise ValueError(text)
    return param.scalar.read(text)


def _plain(value: Any) -> Any:
    """A value as JSON shows it."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool) else str(value)
