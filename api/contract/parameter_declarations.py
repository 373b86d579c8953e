"""Declarations of parameters: `-- @param name = default [low..high] /pattern/: description`."""

import re
from dataclasses import dataclass, replace

from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.container import Array

from api.contract import parameter_types
from api.contract.parameters import Parameter, parse_values
from lib.clickhouse_types import parse, plain
from lib.errors import SqlFileError

_DECLARATION = re.compile(
    r"(?P<name>[A-Za-z]\w*)"
    # A text in quotes contains neither the end of the default nor a separator of a list.
    r"(?:\s*=\s*(?P<default>(?:'[^']*'|[^'])*?))?"
    r"(?:\s+\[(?P<low>[^\][.]*(?:\.\d[^\][.]*)?)\.\.(?P<high>[^\][]*)\])?"
    r"(?:\s+/(?P<pattern>.+)/)?"
    r"(?P<repeated>\s+repeated)?"
    r"\s*:\s+(?P<text>\S.*)"
)
# The texts between commas that are not quoted.
_PART = re.compile(r"(?:^|(?<=,))(?:'[^']*'|[^',])*")
_QUOTED = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True, slots=True)
class Declaration:
    """The parts of one @param line."""

    name: str
    default: str | None
    low: str
    high: str
    pattern: str | None
    description: str
    is_repeated: bool = False


def declaration(place: str, line: str) -> Declaration:
    """The parts of `name = default [low..high] /pattern/: description`; raise SqlFileError."""
    match = _DECLARATION.fullmatch(line)
    if not match:
        raise SqlFileError(
            f"{place}: @param {line}: not understood; "
            "write `-- @param name = default [low..high] /pattern/ repeated: what it is`."
        )
    low, high = ((match[end] or "").strip() for end in ("low", "high"))
    return Declaration(
        match["name"], match["default"], low, high, match["pattern"], match["text"],
        is_repeated=match["repeated"] is not None,
    )  # fmt: skip


def parameter(place: str, declared: Declaration, type_name: str, type_place: str) -> Parameter:
    """A declared parameter with its type; raise SqlFileError if the two do not fit."""
    try:
        kind = _type(type_name)
        is_array = isinstance(kind, Array)
        scalar = parameter_types.scalar(
            plain(kind.element_type) if isinstance(kind, Array) else kind
        )
    except ValueError as error:
        raise SqlFileError(f"{type_place}: {declared.name}: {error}.") from None
    if declared.is_repeated and not is_array:
        raise SqlFileError(
            f"{place}: {declared.name} is not an Array, which `repeated` needs; delete the word."
        )
    bare = Parameter(
        declared.name, type_name, declared.description, scalar, is_array, kind.nullable,
        required=declared.default is None, pattern=_pattern(place, declared.pattern),
        is_repeated=declared.is_repeated,
    )  # fmt: skip
    return _with_default(place, _with_bounds(place, bare, declared), declared.default)


def _type(name: str) -> ClickHouseType:
    try:
        return parse(name)
    except ValueError:
        raise parameter_types.unsupported(name) from None


def _pattern(place: str, pattern: str | None) -> str | None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise SqlFileError(f"{place}: /{pattern}/: {error}; fix the pattern.") from None
    return pattern


def _with_bounds(place: str, bare: Parameter, declared: Declaration) -> Parameter:
    scalar = parameter_types.scalar(parse("UInt32")) if bare.has_size else bare.scalar
    try:
        low = scalar.parse(declared.low) if declared.low else None
        high = scalar.parse(declared.high) if declared.high else None
    except ValueError:
        raise SqlFileError(
            f"{place}: [{declared.low}..{declared.high}]: each end must be {scalar.takes}."
        ) from None
    if low is not None and high is not None and low > high:
        raise SqlFileError(f"{place}: [{low}..{high}] is empty; swap the ends.")
    return replace(bare, low=low, high=high)


def _with_default(place: str, bounded: Parameter, text: str | None) -> Parameter:
    if text is None or (text == "null" and bounded.is_nullable):
        return bounded
    try:
        default = parse_values(bounded, _texts(text, is_list=bounded.is_array))
    except ValueError:
        raise SqlFileError(
            f"{place}: {bounded.name} = {text}: the default must be {bounded.takes}."
        ) from None
    return replace(bounded, default=default)


def _texts(default: str, *, is_list: bool) -> list[str]:
    """The values of a default; one in SQL's quotes is taken literally."""
    parts = _PART.findall(default) if is_list and default != "[]" else [default] * (not is_list)
    return [
        part[1:-1].replace("''", "'") if _QUOTED.fullmatch(part) else part
        for part in (part.strip() for part in parts)
    ]
