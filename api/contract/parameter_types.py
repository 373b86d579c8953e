"""The ClickHouse types that a parameter may have."""

from uuid import UUID

from clickhouse_connect.datatypes import special
from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.numeric import BFloat16, Bool, Enum, Float
from clickhouse_connect.datatypes.string import String
from clickhouse_connect.datatypes.temporal import Date, DateTimeBase

from api.contract import timestamps
from api.contract.scalars import BOOL, FLOAT, INTEGERS, TEXT, Scalar, enum_scalar, integer_scalar

NAMES = [
    *map(str, [*INTEGERS, "Float32", "Float64", "Bool", "String", "UUID", *timestamps.RANGES]),
    "Enum8", "Enum16",
]  # fmt: skip


def scalar(kind: ClickHouseType) -> Scalar:
    """How the values of a type are parsed and written; raise ValueError for a type that has no
    text form in a URL."""
    if kind.base_type in INTEGERS:
        return integer_scalar(*INTEGERS[kind.base_type])
    match kind:
        case Float() | BFloat16():
            return FLOAT
        case DateTimeBase():
            return timestamps.timestamp_scalar(kind)
        case Date():
            return timestamps.date_scalar(kind)
        case Enum():
            return enum_scalar([*kind.type_def.keys])
        case Bool():
            return BOOL
        case String():
            return TEXT
        case special.UUID():
            return Scalar("a UUID", {"type": "string", "format": "uuid"}, UUID)
    raise unsupported(kind.name)


def unsupported(name: str) -> ValueError:
    """The error for a type that no parameter can have."""
    return ValueError(f"{name} is no type for a parameter; use one of {', '.join(NAMES)}")
