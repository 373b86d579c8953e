"""ClickHouse types as text, such as Array(DateTime64(6, 'UTC')): their parts and their meaning."""

import re
from dataclasses import dataclass

INTEGERS: dict[str, tuple[int, int]] = {
    name: limits
    for bits in (8, 16, 32, 64)
    for name, limits in (
        (f"UInt{bits}", (0, 2**bits - 1)),
        (f"Int{bits}", (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)),
    )
}
BIG_INTEGERS = ("UInt128", "Int128", "UInt256", "Int256")
FLOATS = ("Float32", "Float64", "BFloat16")
_TYPE = re.compile(r"\s*(?P<name>\w+)\s*(?:\((?P<inside>.*)\))?\s*", re.DOTALL)
_SPLIT = re.compile(r"'(?:[^'\\]|\\.|'')*'|`[^`]*`|[(),]|[^'`(),]+", re.DOTALL)
_ENUM = re.compile(r"\s*'(?P<name>(?:[^'\\]|\\.)*)'\s*(?:=\s*-?\d+)?\s*")
_NAMED = re.compile(r"\s*(?:`(?P<quoted>[^`]+)`|(?P<name>\w+))\s+(?P<type>\S.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Type:
    """A type: its name and the text of each argument."""

    name: str
    arguments: tuple[str, ...] = ()

    @property
    def inner(self) -> "Type":
        """What an Array, a Nullable or a LowCardinality is of."""
        return parse(self.arguments[0])

    @property
    def members(self) -> list[str]:
        """The names of an Enum."""
        found = (_ENUM.fullmatch(text) for text in self.arguments)
        return [re.sub(r"\\(.)", r"\1", match["name"]) for match in found if match]

    @property
    def fields(self) -> list[tuple[str, "Type"]]:
        """The elements of a Tuple; the name is empty where there is none."""
        named = [(_NAMED.fullmatch(text), text) for text in self.arguments]
        return [
            (match["quoted"] or match["name"], parse(match["type"])) if match else ("", parse(text))
            for match, text in named
        ]

    @property
    def decimals(self) -> int:
        """How many digits of a second a date-time holds."""
        return int(self.arguments[0]) if self.name == "DateTime64" else 0

    @property
    def zone(self) -> str | None:
        """The time zone that a date-time names."""
        zones = [text for text in self.arguments if text.startswith("'")]
        return zones[0].strip("'") if zones and self.name.startswith("DateTime") else None


def parse(text: str) -> Type:
    """Take a type apart; raise ValueError where it is none."""
    match = _TYPE.fullmatch(text)
    if not match:
        raise ValueError(text)
    return Type(match["name"], tuple(_split(match["inside"] or "")))


def plain(kind: Type) -> Type:
    """The type without what only says how it is stored or that it may be missing."""
    while kind.name in ("LowCardinality", "Nullable"):
        kind = kind.inner
    return kind


def is_nullable(kind: Type) -> bool:
    """Whether a value may be missing."""
    if kind.name == "LowCardinality":
        return is_nullable(kind.inner)
    return kind.name == "Nullable"


def _split(text: str) -> list[str]:
    """Cut at the commas that stand in no parentheses and no quotes."""
    parts, depth = [""], 0
    for token in _SPLIT.findall(text):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    return [part.strip() for part in parts if part.strip()]
