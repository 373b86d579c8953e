"""Parameters as a file declares them: `-- @param name = default [low..high] /pattern/: text`."""

import re
from typing import Any

from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.container import Array

from api import values
from api.params import Declared, Param, read
from lib.clickhouse_types import parse, plain
from lib.errors import SqlFileError

_DECLARED = re.compile(
    r"(?P<name>[A-Za-z]\w*)"
    r"(?:\s*=\s*(?P<default>.*?))?"
    r"(?:\s+\[(?P<low>[^\][.]*(?:\.\d[^\][.]*)?)\.\.(?P<high>[^\][]*)\])?"
    r"(?:\s+/(?P<pattern>.+)/)?"
    r"\s*:\s+(?P<text>\S.*)"
)


def declare(place: str, line: str) -> Declared:
    """Take `name = default [low..high] /pattern/: text` apart; raise SqlFileError if it is none."""
    match = _DECLARED.fullmatch(line)
    if not match:
        raise SqlFileError(
            f"{place}: @param {line}: not understood; "
            "write `-- @param name = default [low..high] /pattern/: what it is`."
        )
    low, high = ((match[end] or "").strip() for end in ("low", "high"))
    return Declared(match["name"], match["default"], low, high, match["pattern"], match["text"])


def param(place: str, declared: Declared, type_text: str, type_place: str) -> Param:
    """A declared parameter with its type; raise SqlFileError where the two do not fit."""
    try:
        kind = _type(type_text)
        is_array = isinstance(kind, Array)
        scalar = values.scalar(plain(kind.element_type) if isinstance(kind, Array) else kind)
    except ValueError as error:
        raise SqlFileError(f"{type_place}: {declared.name}: {error}.") from None
    bare = Param(
        declared.name, type_text, declared.text, scalar, is_array, kind.nullable,
        required=declared.default is None, pattern=_pattern(place, declared.pattern),
    )  # fmt: skip
    return _with_default(place, _with_bounds(place, bare, declared), declared.default)


def _type(text: str) -> ClickHouseType:
    try:
        return parse(text)
    except ValueError:
        raise values.refused(text) from None


def _pattern(place: str, pattern: str | None) -> str | None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise SqlFileError(f"{place}: /{pattern}/: {error}; mend the pattern.") from None
    return pattern


def _with_bounds(place: str, bare: Param, declared: Declared) -> Param:
    scalar = values.scalar(parse("UInt32")) if bare.is_sized else bare.scalar
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
        default = read(checked, [] if text == "[]" and checked.is_array else [text])
    except ValueError:
        raise SqlFileError(
            f"{place}: {checked.name} = {text}: the default must be {checked.takes}."
        ) from None
    return _replace(checked, default=default)


def _replace(found: Param, **changes: Any) -> Param:
    fields = {name: getattr(found, name) for name in Param.__slots__}
    return Param(**{**fields, **changes})
