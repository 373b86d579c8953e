"""Columns as they are sent: as text for JSON and CSV, or in types that Arrow and Parquet have.

SQL expressions convert them, because a read-only user cannot change the settings of a format.
"""

from collections.abc import Callable, Mapping

from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.container import Array, Map, Nested, Tuple
from clickhouse_connect.datatypes.dynamic import JSON, Dynamic, Variant
from clickhouse_connect.datatypes.geometric import Geometry
from clickhouse_connect.datatypes.numeric import BigInt, Decimal, Int64, UInt64
from clickhouse_connect.datatypes.temporal import DateTime64, DateTimeBase

from api.contract import arrow_types
from api.contract.expressions import Expression, cast
from lib.clickhouse_types import parse, plain
from lib.quoting import quote_name, quote_string

# None is a type that the registry does not know: ClickHouse writes it unchanged.
Columns = Mapping[str, ClickHouseType | None]
Leaf = Callable[[str, ClickHouseType], Expression | None]

# JavaScript's integers are exact up to 2^53: types of larger numbers are sent as text.
TEXT_TYPES = (Int64, UInt64, BigInt, Decimal)


def select(columns: Columns, *, as_text: bool) -> str:
    """The SELECT list for JSON and CSV (`as_text`), or for Arrow and Parquet."""
    parts = []
    for name, kind in columns.items():
        column = quote_name(name)
        written = _column(column, kind, as_text=as_text) if kind else column
        parts.append(column if written == column else f"{written} AS {column}")
    return ", ".join(parts)


def json_columns(columns: Columns) -> tuple[str, ...]:
    """The columns that are the text of a JSON value in JSON rows; see query/json_columns.py."""
    return tuple(name for name, kind in columns.items() if kind and _is_json(kind))


def fields(kind: Tuple | Nested) -> list[tuple[str, ClickHouseType]]:
    """The elements of a tuple; the name is empty if an element has none."""
    names = kind.element_names or [""] * len(kind.element_types)
    return list(zip(names, map(plain, kind.element_types), strict=True))


def nested_array(kind: Nested) -> ClickHouseType:
    """The type of a Nested column: an array of tuples."""
    return parse(f"Array(Tuple({_elements([(name, of.name) for name, of in fields(kind)])}))")


def _is_json(kind: ClickHouseType) -> bool:
    """Whether the types of the values inside differ from row to row."""
    match kind := plain(kind):
        case JSON() | Dynamic():
            return True
        case Array():
            return _is_json(kind.element_type)
        case Map():
            return _is_json(kind.value_type)
        case Tuple() | Nested() | Variant():
            return any(map(_is_json, kind.element_types))
    return False


def _column(column: str, kind: ClickHouseType, *, as_text: bool) -> str:
    if as_text and _is_json(kind):
        return f"toJSONString({column})"
    return _convert(column, kind, _text if as_text else arrow_types.convert).sql


def _text(value: str, kind: ClickHouseType) -> Expression | None:
    """A value as text if JSON has no type for it; times in UTC."""
    if isinstance(kind, TEXT_TYPES):
        return Expression(f"toString({value})", "String")
    if isinstance(kind, DateTime64) and kind.scale > 6:
        # formatDateTime's %f is six digits.
        utc = f"toString(toTimeZone({value}, 'UTC'))"
        return Expression(f"concat(replaceOne({utc}, ' ', 'T'), 'Z')", "String")
    if isinstance(kind, DateTimeBase):
        return Expression(f"formatDateTime({value}, '%Y-%m-%dT%H:%i:%S.%fZ', 'UTC')", "String")
    return _variant(value, kind) if isinstance(kind, Variant) else None


def _convert(value: str, kind: ClickHouseType, leaf: Leaf) -> Expression:
    """A value with every value inside it converted by `leaf`; unchanged if `leaf` changes none."""
    kind = plain(kind)
    same = Expression(value, kind.name)
    match kind:
        case Array():
            inner = _convert("x", kind.element_type, leaf)
            if inner.sql == "x":
                return same
            return Expression(f"arrayMap(x -> {inner.sql}, {value})", f"Array({inner.type})")
        case Nested():
            return _convert(value, nested_array(kind), leaf)
        case Map():
            return _map(value, kind, leaf)
        case Tuple():
            return _tuple(value, kind, leaf)
    converted = leaf(value, kind)
    if not converted:
        return same
    if not kind.nullable or converted.type.startswith(("Nullable", "Variant")):
        return converted
    return Expression(converted.sql, f"Nullable({converted.type})")


def _map(value: str, kind: Map, leaf: Leaf) -> Expression:
    key, item = _convert("k", kind.key_type, leaf), _convert("v", kind.value_type, leaf)
    if (key.sql, item.sql) == ("k", "v"):
        return Expression(value, kind.name)
    converted = f"mapApply((k, v) -> ({key.sql}, {item.sql}), {value})"
    return Expression(converted, f"Map({key.type}, {item.type})")


def _tuple(value: str, kind: Tuple, leaf: Leaf) -> Expression:
    # The cast is evaluated for rows that are NULL, too.
    not_null = f"assumeNotNull({value})" if kind.nullable else value
    parts = [f"tupleElement({not_null}, {n})" for n in range(1, len(kind.element_types) + 1)]
    inner = [_convert(part, of, leaf) for part, of in zip(parts, kind.element_types, strict=True)]
    if [each.sql for each in inner] == parts:
        return Expression(value, kind.name)
    names = [name for name, _ in fields(kind)]
    converted = f"Tuple({_elements(list(zip(names, [each.type for each in inner], strict=True)))})"
    if kind.nullable:
        converted = f"Nullable({converted})"
    # The tuple that a function returns has no names; the cast restores them.
    named = cast(f"tuple({', '.join(each.sql for each in inner)})", converted)
    return Expression(f"if(isNull({value}), NULL, {named})" if kind.nullable else named, converted)


def _variant(value: str, kind: Variant) -> Expression | None:
    """Each alternative converted by itself."""
    parts = [f"variantElement({value}, {quote_string(of.name)})" for of in kind.element_types]
    inner = [_convert(part, of, _text) for part, of in zip(parts, kind.element_types, strict=True)]
    if [each.sql for each in inner] == parts or isinstance(kind, Geometry):
        return None
    converted = f"Variant({', '.join(dict.fromkeys(each.type for each in inner))})"
    cases = [
        f"variantType({value}) = {quote_string(of.name)}, {cast(each.sql, converted)}"
        for of, each in zip(kind.element_types, inner, strict=True)
    ]
    return Expression(f"multiIf({', '.join(cases)}, {cast('NULL', converted)})", converted)


def _elements(named: list[tuple[str, str]]) -> str:
    return ", ".join(f"{quote_name(name)} {of}" if name else of for name, of in named)
