"""Parameters of an endpoint: what they take, what a request gives, what is bound."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from api.contract.scalars import Scalar, Schema
from lib.quoting import escape, quote_string

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
    is_repeated: bool = False


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
    # A list is given by repeating the parameter alone: no text is split.
    is_repeated: bool = False

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
            if not self.is_repeated and schema == {"type": "string"}:
                # In a value they are escaped.
                schema["not"] = {"pattern": r"[,\\]"}
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
    if param.is_array and len(texts) == 1 and not param.is_repeated:
        texts = split(texts[0])
    return value_of(param, texts)


def split(text: str) -> list[str]:
    r"""The values of a list that is one text: at its commas; `\,` is a comma, `\\` a backslash."""
    # `symbols=` is a list of one empty text: a variable that was empty must not mean "all".
    items = [""]
    for piece in _PIECE.findall(text):
        if piece == ",":
            items.append("")
        else:
            items[-1] += piece[1:] if piece in _ESCAPED else piece
    return items


_PIECE = re.compile(r"\\[\\,]|,|[^\\,]+|\\")
_ESCAPED = ("\\,", "\\\\")


def value_of(param: Param, texts: Sequence[str]) -> Any:
    """The value of texts that stand for one value each; raise ValueError as `read` does."""
    if not param.is_array and len(texts) != 1:
        raise ValueError(len(texts))
    items = [_read_one(param, text) for text in texts]
    if param.is_array and len(items) > (MOST_ITEMS if param.high is None else param.high):
        raise ValueError(len(items))
    found = items if param.is_array else items[0]
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
        return f"[{','.join(quote_string(param.scalar.write(item)) for item in value)}]"
    return escape(param.scalar.write(value))


def sample(param: Param) -> Any:
    """A value that the parameter takes, to ask ClickHouse what the SQL answers: its default, or
    one within its bounds by which can be divided and which may name a time zone."""
    if not param.required:
        return param.default
    found = next(_samples(param))
    return [found] * max(1, param.low or 1) if param.is_array else found


def _samples(param: Param) -> Iterator[Any]:
    for text in (*_SAMPLES, *param.scalar.schema.get("enum", [])):
        with suppress(ValueError):
            yield _read_one(param, text) if param.is_array else value_of(param, [text])
    size = param.low if param.low is not None else param.high
    # ClickHouse knows nothing of a pattern that no sample matches.
    yield "0" * (size or 1) if param.is_sized else size


_SAMPLES = ("UTC", "1", "2024-01-30", "00000000-0000-0000-0000-000000000000")


def _read_one(param: Param, text: str) -> Any:
    if param.pattern and not re.fullmatch(param.pattern, text):
        raise ValueError(text)
    return param.scalar.read(text)


def _plain(value: Any) -> Any:
    """A value as JSON shows it."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool) else str(value)
