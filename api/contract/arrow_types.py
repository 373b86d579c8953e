"""Values in types that both Arrow and Parquet have, if their own is less precise or missing."""

from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.dynamic import JSON, Dynamic, Variant
from clickhouse_connect.datatypes.geometric import MultiPolygon, Point, Polygon, Ring
from clickhouse_connect.datatypes.network import IPv4, IPv6
from clickhouse_connect.datatypes.numeric import BFloat16, BigInt, Enum, Interval
from clickhouse_connect.datatypes.special import UUID, Nothing
from clickhouse_connect.datatypes.temporal import DateTime, DateTime64, TimeBase

from api.contract.expressions import Expression, cast


def convert(value: str, kind: ClickHouseType) -> Expression | None:
    """A value in its type for Arrow; None if it needs no change."""
    match kind:
        case DateTime64() if kind.type_def.values[1:] != ("'UTC'",):
            return Expression(f"toTimeZone({value}, 'UTC')", f"DateTime64({kind.scale}, 'UTC')")
        case DateTime():
            return Expression(f"toDateTime64({value}, 0, 'UTC')", "DateTime64(0, 'UTC')")
        case Enum() | IPv4() | IPv6() | UUID() | BigInt() | TimeBase():
            return Expression(f"toString({value})", "String")
        case JSON() | Dynamic() | Variant():
            text = "String" if isinstance(kind, JSON) and not kind.nullable else "Nullable(String)"
            return Expression(f"toJSONString({value})", text)
        case Interval():
            return Expression(f"toInt64({value})", "Int64")
        case BFloat16():
            return Expression(f"toFloat32({value})", "Float32")
        case Point() | Ring() | Polygon() | MultiPolygon():
            return _geometry(value, kind)
        case Nothing():
            return Expression(cast(value, "Nullable(String)"), "Nullable(String)")
    return None


def _geometry(value: str, kind: ClickHouseType) -> Expression:
    """Coordinates as in Arrow; Parquet would have well-known binary."""
    name = "Nullable(Tuple(Float64, Float64))" if kind.nullable else "Tuple(Float64, Float64)"
    # A LineString is a Ring, and so on.
    depth = next(
        n for n, of in enumerate((Point, Ring, Polygon, MultiPolygon)) if isinstance(kind, of)
    )
    for _ in range(depth):
        name = f"Array({name})"
    return Expression(cast(value, name), name)
