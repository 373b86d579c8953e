"""JSON schemas of the columns in a JSON answer."""

from typing import Any

from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.container import Array, Map, Nested, Tuple
from clickhouse_connect.datatypes.dynamic import JSON, Variant
from clickhouse_connect.datatypes.geometric import Geometry
from clickhouse_connect.datatypes.network import IPv4, IPv6
from clickhouse_connect.datatypes.numeric import BFloat16, Bool, Enum, Float
from clickhouse_connect.datatypes.special import UUID
from clickhouse_connect.datatypes.string import FixedString, String
from clickhouse_connect.datatypes.temporal import Date, DateTimeBase

from api.contract import columns
from api.contract.scalars import INTEGERS
from lib.clickhouse_types import plain

Schema = dict[str, Any]
_FLOATS = (Float, BFloat16)


def schema_of(kind: ClickHouseType | None) -> Schema:
    """A column as a JSON schema; an empty one for an unknown type."""
    kind = plain(kind) if kind else None
    schema = _schema(kind) if kind else {}
    # NaN and infinity are null in JSON.
    if not kind or not (kind.nullable or isinstance(kind, _FLOATS)) or "type" not in schema:
        return schema
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return {**schema, "type": [schema["type"], "null"]}


def _schema(kind: ClickHouseType) -> Schema:
    match kind:
        case Array():
            return {"type": "array", "items": schema_of(kind.element_type)}
        case Nested():
            return _schema(columns.nested_array(kind))
        case Map():
            return {"type": "object", "additionalProperties": schema_of(kind.value_type)}
        case Tuple():
            return _tuple(kind)
        case Variant() if not isinstance(kind, Geometry):
            return {"anyOf": [*map(schema_of, kind.element_types), {"type": "null"}]}
    return _scalar(kind)


def _tuple(kind: Tuple) -> Schema:
    fields = columns.fields(kind)
    if not all(name for name, _ in fields):
        return {"type": "array", "prefixItems": [schema_of(of) for _, of in fields]}
    return {
        "type": "object",
        "properties": {name: schema_of(of) for name, of in fields},
        "required": [name for name, _ in fields],
    }


def _scalar(kind: ClickHouseType) -> Schema:
    if isinstance(kind, columns.TEXT_TYPES):
        return {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
    if kind.base_type in INTEGERS:
        low, high = INTEGERS[kind.base_type]
        return {"type": "integer", "minimum": low, "maximum": high}
    match kind:
        case Float() | BFloat16():
            return {"type": "number"}
        case DateTimeBase():
            return {"type": "string", "format": "date-time"}
        case Date():
            return {"type": "string", "format": "date"}
        case Bool():
            return {"type": "boolean"}
        case Enum():
            return {"type": "string", "enum": [*kind.type_def.keys]}
        case UUID():
            return {"type": "string", "format": "uuid"}
        case JSON():
            return {"type": "object"}
        case String() | FixedString() | IPv4() | IPv6():
            return {"type": "string"}
    return {}
