"""How columns travel: as JSON that browsers can keep, and as JSON schemas."""

from collections.abc import Mapping
from typing import Any

from api import types
from api.types import BIG_INTEGERS, FLOATS, INTEGERS, Type

# Browsers hold whole numbers up to 2^53 only: what may be greater travels as text.
_AS_TEXT = ("Int64", "UInt64", *BIG_INTEGERS, "Decimal", "Decimal32", "Decimal64", "Decimal128")


def select(columns: Mapping[str, Type]) -> str:
    """The columns as JSON and CSV show them.

    It is said in SQL because a read-only user may change no setting.
    """
    parts = []
    for name, kind in columns.items():
        quoted = "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
        written = _written(quoted, kind)
        parts.append(quoted if written == quoted else f"{written} AS {quoted}")
    return ", ".join(parts)


def schema(kind: Type) -> dict[str, Any]:
    """A column as a JSON schema."""
    found = _schema(types.plain(kind))
    missing = types.is_nullable(kind) or types.plain(kind).name in FLOATS
    if not missing or "type" not in found:
        return found
    if "enum" in found:
        found["enum"] = [*found["enum"], None]
    return {**found, "type": [found["type"], "null"]}


def _written(value: str, kind: Type) -> str:
    kind = types.plain(kind)
    if kind.name in _AS_TEXT:
        return f"toString({value})"
    if kind.name.startswith("DateTime"):
        if kind.decimals <= 6:
            return f"formatDateTime({value}, '%Y-%m-%dT%H:%i:%S.%fZ', 'UTC')"
        # %f is six digits.
        return f"concat(replaceOne(toString(toTimeZone({value}, 'UTC')), ' ', 'T'), 'Z')"
    match kind.name:
        case "Array":
            inner = _written("x", kind.inner)
            return value if inner == "x" else f"arrayMap(x -> {inner}, {value})"
        case "Tuple":
            return _tuple(value, kind)
        case "Map":
            inner = _written("v", types.parse(kind.arguments[1]))
            return value if inner == "v" else f"mapApply((k, v) -> (k, {inner}), {value})"
    return value


def _tuple(value: str, kind: Type) -> str:
    parts = [f"tupleElement({value}, {n})" for n in range(1, len(kind.fields) + 1)]
    written = [_written(part, of) for part, (_, of) in zip(parts, kind.fields, strict=True)]
    if written == parts:
        return value
    # A function's tuple has no names; casting gives them back.
    kind_text = _sent_type(kind).replace("\\", "\\\\").replace("'", "\\'")
    return f"CAST(tuple({', '.join(written)}), '{kind_text}')"


def _sent_type(kind: Type) -> str:
    """The type of a column as it is sent."""
    if kind.name == "Nullable":
        return f"Nullable({_sent_type(kind.inner)})"
    if kind.name == "LowCardinality":
        return _sent_type(kind.inner)
    if kind.name in _AS_TEXT or kind.name.startswith("DateTime"):
        return "String"
    if kind.name == "Array":
        return f"Array({_sent_type(kind.inner)})"
    if kind.name == "Map":
        key, value = kind.arguments
        return f"Map({key}, {_sent_type(types.parse(value))})"
    if kind.name == "Tuple":
        fields = (
            f"`{name}` {_sent_type(of)}" if name else _sent_type(of) for name, of in kind.fields
        )
        return f"Tuple({', '.join(fields)})"
    return f"{kind.name}({', '.join(kind.arguments)})" if kind.arguments else kind.name


def _schema(kind: Type) -> dict[str, Any]:
    if kind.name in _AS_TEXT:
        return {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
    if kind.name in INTEGERS:
        low, high = INTEGERS[kind.name]
        return {"type": "integer", "minimum": low, "maximum": high}
    if kind.name in FLOATS:
        return {"type": "number"}
    if kind.name.startswith("DateTime"):
        return {"type": "string", "format": "date-time"}
    match kind.name:
        case "Bool":
            return {"type": "boolean"}
        case "Date" | "Date32":
            return {"type": "string", "format": "date"}
        case "Enum8" | "Enum16":
            return {"type": "string", "enum": kind.members}
        case "UUID":
            return {"type": "string", "format": "uuid"}
        case "Array":
            return {"type": "array", "items": schema(kind.inner)}
        case "Map":
            return {
                "type": "object",
                "additionalProperties": schema(types.parse(kind.arguments[1])),
            }
        case "Tuple":
            return _tuple_schema(kind)
        case "String" | "FixedString" | "IPv4" | "IPv6":
            return {"type": "string"}
    # Whatever ClickHouse makes of it.
    return {}


def _tuple_schema(kind: Type) -> dict[str, Any]:
    if all(name for name, _ in kind.fields):
        return {
            "type": "object",
            "properties": {name: schema(of) for name, of in kind.fields},
            "required": [name for name, _ in kind.fields],
        }
    return {"type": "array", "prefixItems": [schema(of) for _, of in kind.fields]}
