"""Parameters as a file declares them: `-- @param name = default [low..high] /pattern/: text`."""

import re
from typing import Any

from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.container import Array

from api.contract import scalars
from api.contract.parameters import Declared, Param, value_of
from lib.clickhouse_types import parse, plain
from lib.errors import SqlFileError

_DECLARED = re.compile(
    r"(?P<name>[A-Za-z]\w*)"
    # Quotes quote: what stands in them is neither the end of the default nor a comma of a list.
    r"(?:\s*=\s*(?P<default>(?:'[^']*'|[^'])*?))?"
    r"(?:\s+\[(?P<low>[^\][.]*(?:\.\d[^\][.]*)?)\.\.(?P<high>[^\][]*)\])?"
    r"(?:\s+/(?P<pattern>.+)/)?"
    r"(?P<repeated>\s+repeated)?"
    r"\s*:\s+(?P<text>\S.*)"
)
# What stands between commas that are not quoted.
_PART = re.compile(r"(?:^|(?<=,))(?:'[^']*'|[^',])*")
_QUOTED = re.compile(r"'(?:[^']|'')*'")


def declare(place: str, line: str) -> Declared:
    """Take `name = default [low..high] /pattern/: text` apart; raise SqlFileError if it is none."""
    match = _DECLARED.fullmatch(line)
    if not match:
        raise SqlFileError(
            f"{place}: @param {line}: not understood; "
            "write `-- @param name = default [low..high] /pattern/ repeated: what it is`."
        )
    low, high = ((match[end] or "").strip() for end in ("low", "high"))
    return Declared(
        match["name"], match["default"], low, high, match["pattern"], match["text"],
        is_repeated=match["repeated"] is not None,
    )  # fmt: skip


def param(place: str, declared: Declared, type_text: str, type_place: str) -> Param:
    """A declared parameter with its type; raise SqlFileError where the two do not fit."""
    try:
        kind = _type(type_text)
        is_array = isinstance(kind, Array)
        scalar = scalars.scalar(plain(kind.element_type) if isinstance(kind, Array) else kind)
    except ValueError as error:
        raise SqlFileError(f"{type_place}: {declared.name}: {error}.") from None
    if declared.is_repeated and not is_array:
        raise SqlFileError(f"{place}: {declared.name} is no Array to be repeated; delete the word.")
    bare = Param(
        declared.name, type_text, declared.text, scalar, is_array, kind.nullable,
        required=declared.default is None, pattern=_pattern(place, declared.pattern),
        is_repeated=declared.is_repeated,
    )  # fmt: skip
    return _with_default(place, _with_bounds(place, bare, declared), declared.default)


def _type(text: str) -> ClickHouseType:
    try:
        return parse(text)
    except ValueError:
        raise scalars.refused(text) from None


def _pattern(place: str, pattern: str | None) -> str | None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise SqlFileError(f"{place}: /{pattern}/: {error}; fix the pattern.") from None
    return pattern


def _with_bounds(place: str, bare: Param, declared: Declared) -> Param:
    scalar = scalars.scalar(parse("UInt32")) if bare.is_sized else bare.scalar
    try:
        low = scalar.read(declared.low) if declared.low else None
        high = scalar.read(declared.high) if declared.high else None
    except ValueError:
        raise SqlFileError(
            f"{place}: [{declared.low}..{declared.high}]: each end must be {scalar.takes}."
        ) from None
    if low is not None and high is not None and low > high:
        raise SqlFileError(f"{place}: [{low}..{high}] is empty; swap the ends.")
    return _replace(bare, low=low, high=high)


def _with_default(place: str, checked: Param, text: str | None) -> Param:
    if text is None or (text == "null" and checked.is_nullable):
        return checked
    try:
        default = value_of(checked, _texts(text, is_list=checked.is_array))
    except ValueError:
        raise SqlFileError(
            f"{place}: {checked.name} = {text}: the default must be {checked.takes}."
        ) from None
    return _replace(checked, default=default)


def _texts(default: str, *, is_list: bool) -> list[str]:
    """The values of a default: SQL's quotes around one keep it as it is."""
    parts = _PART.findall(default) if is_list and default != "[]" else [default] * (not is_list)
    return [
        part[1:-1].replace("''", "'") if _QUOTED.fullmatch(part) else part
        for part in (part.strip() for part in parts)
    ]


def _replace(found: Param, **changes: Any) -> Param:
    fields = {name: getattr(found, name) for name in Param.__slots__}
    return Param(**{**fields, **changes})
