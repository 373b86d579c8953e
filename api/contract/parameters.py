"""Parameters of an endpoint: validated from a request, described, and bound to the SQL."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from api.contract.scalars import Scalar, Schema
from lib.quoting import escape, quote_string

# How many values a list may have if its file sets no bound.
MAX_ITEMS = 1000


@dataclass(frozen=True, slots=True)
class Parameter:
    """A typed parameter; `default` and the bounds are values, not text."""

    name: str
    type: str
    description: str
    scalar: Scalar
    is_array: bool
    is_nullable: bool
    required: bool
    default: Any = None
    low: Any = None
    high: Any = None
    pattern: str | None = None
    # The values of a list are given only by repeating the parameter: no text is split.
    is_repeated: bool = False

    @property
    def has_size(self) -> bool:
        """Whether the bounds limit a size: of a list, or of a text."""
        return self.is_array or self.scalar.schema == {"type": "string"}

    @property
    def takes(self) -> str:
        """The valid values, in words."""
        words = self.scalar.takes
        if self.is_array:
            words = f"a list, each {words}"
        if self.pattern:
            words += f" matching {self.pattern}"
        return words + self._bounds()

    def _bounds(self) -> str:
        if self.low is None and self.high is None:
            return ""
        unit = (" values" if self.is_array else " characters") if self.has_size else ""
        if self.high is None:
            return f", at least {self.low}{unit}"
        if self.low is None:
            return f", at most {self.high}{unit}"
        return f", {self.low} to {self.high}{unit}"

    @property
    def schema(self) -> Schema:
        """The valid values, as a JSON schema."""
        schema = {**self.scalar.schema}
        if self.pattern:
            schema["pattern"] = f"^(?:{self.pattern})$"
        if self.is_array:
            if not self.is_repeated and schema == {"type": "string"}:
                # In a value they are escaped.
                schema["not"] = {"pattern": r"[,\\]"}
            schema = {"type": "array", "items": schema}
        low, high = _BOUND_KEYWORDS.get(schema["type"], ("minimum", "maximum"))
        if self.scalar.schema["type"] != "string" or self.has_size:
            schema |= {low: self.low} if self.low is not None else {}
            schema |= {high: self.high} if self.high is not None else {}
        if self.is_array:
            schema["minItems"] = max(1, self.low or 1)
        if not self.required and self.default not in (None, []):
            schema["default"] = _plain(self.default)
        return schema


_BOUND_KEYWORDS = {"array": ("minItems", "maxItems"), "string": ("minLength", "maxLength")}


def parse(parameter: Parameter, texts: Sequence[str]) -> Any:
    """The value that a request gives; raise ValueError if it is not valid."""
    if parameter.is_array and len(texts) == 1 and not parameter.is_repeated:
        texts = split(texts[0])
    return parse_values(parameter, texts)


def split(text: str) -> list[str]:
    r"""The values of a list given as one text, separated by commas; `\,` is a comma, `\\` a
    backslash."""
    # `symbols=` is a list of one empty text: an empty variable of a script must not mean "all".
    items = [""]
    for piece in _PIECE.findall(text):
        if piece == ",":
            items.append("")
        else:
            items[-1] += piece[1:] if piece in _ESCAPED else piece
    return items


_PIECE = re.compile(r"\\[\\,]|,|[^\\,]+|\\")
_ESCAPED = ("\\,", "\\\\")


def parse_values(parameter: Parameter, texts: Sequence[str]) -> Any:
    """The value of texts that are one value each; raise ValueError as `parse` does."""
    if not parameter.is_array and len(texts) != 1:
        raise ValueError(len(texts))
    items = [parse_item(parameter, text) for text in texts]
    if parameter.is_array and len(items) > (
        MAX_ITEMS if parameter.high is None else parameter.high
    ):
        raise ValueError(len(items))
    value = items if parameter.is_array else items[0]
    size = len(value) if parameter.has_size else value
    if (parameter.low is not None and size < parameter.low) or (
        parameter.high is not None and size > parameter.high
    ):
        raise ValueError(size)
    return value


def parse_item(parameter: Parameter, text: str) -> Any:
    """One value, whatever the bounds; raise ValueError as `parse` does."""
    if parameter.pattern and not re.fullmatch(parameter.pattern, text):
        raise ValueError(text)
    return parameter.scalar.parse(text)


def bind(parameter: Parameter, value: Any) -> str:
    """The value as ClickHouse reads it from a query parameter."""
    if value is None:
        return "\\N"
    write = parameter.scalar.write
    if parameter.is_array:
        return f"[{','.join(quote_string(write(item)) for item in value)}]"
    return escape(write(value))


def sample(parameter: Parameter) -> Any:
    """A valid value, with which ClickHouse describes the SQL: the default, or one within the bounds
    that can be a divisor and may be the name of a time zone."""
    if not parameter.required:
        return parameter.default
    value = next(_samples(parameter))
    return [value] * max(1, parameter.low or 1) if parameter.is_array else value


def _samples(parameter: Parameter) -> Iterator[Any]:
    for text in (*_SAMPLES, *parameter.scalar.schema.get("enum", [])):
        with suppress(ValueError):
            is_array = parameter.is_array
            yield parse_item(parameter, text) if is_array else parse_values(parameter, [text])
    size = parameter.low if parameter.low is not None else parameter.high
    # ClickHouse does not know about a pattern that no sample matches.
    yield "0" * (size or 1) if parameter.has_size else size


_SAMPLES = ("UTC", "1", "2024-01-30", "00000000-0000-0000-0000-000000000000")


def _plain(value: Any) -> Any:
    """A value as JSON shows it."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool) else str(value)
