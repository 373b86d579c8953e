"""Parameters as a file declares them: `-- @param name = default [low..high] /pattern/: text`."""

import re
from typing import Any

from api import types, values
from api.params import Declared, Param, read
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
        kind = types.parse(type_text)
        is_nullable = types.is_nullable(kind)
        kind = types.plain(kind)
        is_array = kind.name == "Array"
        scalar = values.scalar(types.plain(kind.inner) if is_array else kind)
    except (ValueError, IndexError) as error:
        raise SqlFileError(f"{type_place}: {declared.name}: {type_text}: {error}.") from None
    bare = Param(
        declared.name, type_text, declared.text, scalar, is_array, is_nullable,
        required=declared.default is None, pattern=_pattern(place, declared.pattern),
    )  # fmt: skip
    return _with_default(place, _with_bounds(place, bare, declared), declared.default)


def _pattern(place: str, pattern: str | None) -> str | None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise SqlFileError(f"{place}: /{pattern}/: {error}; mend the pattern.") from None
    return pattern


def _with_bounds(place: str, bare: Param, declared: Declared) -> Param:
    scalar = values.scalar(types.Type("UInt32")) if bare.is_sized else bare.scalar
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
