"""Single values as parameters: parsed from a request, described, and written for ClickHouse.

ClickHouse binds the value itself; the text that is written is a parameter's value, never SQL.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Scalar:
    """What a value must be, in words and as a JSON schema; how it is parsed and written."""

    takes: str
    schema: Schema
    parse: Callable[[str], Any]
    write: Callable[[Any], str] = str


def integer_scalar(low: int, high: int) -> Scalar:
    """A whole number within the range of its type."""

    def parse(text: str) -> int:
        if not _INTEGER.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    schema = {"type": "integer", "minimum": low, "maximum": high}
    return Scalar(f"a whole number from {low} to {high}", schema, parse)


def enum_scalar(members: list[str]) -> Scalar:
    """One of the members of an enum."""

    def parse(text: str) -> str:
        if text not in members:
            raise ValueError(text)
        return text

    return Scalar(f"one of {', '.join(members)}", {"type": "string", "enum": members}, parse)


def _parse_float(text: str) -> float:
    if not _FLOAT.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError(text)
    return float(text)


def _parse_bool(text: str) -> bool:
    if text not in ("true", "false", "1", "0"):
        raise ValueError(text)
    return text in ("true", "1")


def _parse_text(text: str) -> str:
    if "\0" in text:
        raise ValueError(text)
    return text


FLOAT = Scalar("a number", {"type": "number"}, _parse_float, repr)
BOOL = Scalar("true or false", {"type": "boolean"}, _parse_bool, lambda value: str(value).lower())
TEXT = Scalar("text", {"type": "string"}, _parse_text)
