"""How columns travel: SQL that writes them for readers without types, or in types that Arrow has.

It is said in SQL because a read-only user may change no setting.
"""

from collections.abc import Callable, Mapping

from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.container import Array, Map, Nested, Tuple
from clickhouse_connect.datatypes.dynamic import JSON, Dynamic, Variant
from clickhouse_connect.datatypes.geometric import Geometry
from clickhouse_connect.datatypes.numeric import BigInt, Decimal, Int64, UInt64
from clickhouse_connect.datatypes.temporal import DateTime64, DateTimeBase

from api.contract import arrow_types
from api.contract.expressions import Sent, cast
from lib.clickhouse_types import parse, plain
from lib.quoting import quote_name, quote_string

# None is a type that the registry does not know: it travels as ClickHouse writes it.
Columns = Mapping[str, ClickHouseType | None]
Leaf = Callable[[str, ClickHouseType], Sent | None]

# Browsers hold whole numbers up to 2^53 only: what may be greater travels as text.
AS_TEXT = (Int64, UInt64, BigInt, Decimal)


def select(columns: Columns, *, as_text: bool) -> str:
    """The columns as JSON and CSV show them, or else in types that Arrow and Parquet have."""
    parts = []
    for name, kind in columns.items():
        column = quote_name(name)
        written = _column(column, kind, as_text=as_text) if kind else column
        parts.append(column if written == column else f"{written} AS {column}")
    return ", ".join(parts)


def documents(columns: Columns) -> tuple[str, ...]:
    """The columns that JSON rows hold as the text of a JSON value, for documents.embedded."""
    return tuple(name for name, kind in columns.items() if kind and _is_document(kind))


def fields(kind: Tuple | Nested) -> list[tuple[str, ClickHouseType]]:
    """The elements of a tuple; the name is empty where there is none."""
    names = kind.element_names or [""] * len(kind.element_types)
    return list(zip(names, map(plain, kind.element_types), strict=True))


def rows_of(kind: Nested) -> ClickHouseType:
    """What a Nested column is: an array of tuples."""
    return parse(f"Array(Tuple({_declared([(name, of.name) for name, of in fields(kind)])}))")


def _is_document(kind: ClickHouseType) -> bool:
    """Whether the types inside are only known row by row."""
    match kind := plain(kind):
        case JSON() | Dynamic():
            return True
        case Array():
            return _is_document(kind.element_type)
        case Map():
            return _is_document(kind.value_type)
        case Tuple() | Nested() | Variant():
            return any(map(_is_document, kind.element_types))
    return False


def _column(column: str, kind: ClickHouseType, *, as_text: bool) -> str:
    if as_text and _is_document(kind):
        return f"toJSONString({column})"
    return _sent(column, kind, _text if as_text else arrow_types.typed).sql


def _text(value: str, kind: ClickHouseType) -> Sent | None:
    """A value that JSON has no type for, as text; times in UTC."""
    if isinstance(kind, AS_TEXT):
        return Sent(f"toString({value})", "String")
    if isinstance(kind, DateTime64) and kind.scale > 6:
        # formatDateTime's %f is six digits.
        utc = f"toString(toTimeZone({value}, 'UTC'))"
        return Sent(f"concat(replaceOne({utc}, ' ', 'T'), 'Z')", "String")
    if isinstance(kind, DateTimeBase):
        return Sent(f"formatDateTime({value}, '%Y-%m-%dT%H:%i:%S.%fZ', 'UTC')", "String")
    return _variant(value, kind) if isinstance(kind, Variant) else None


def _sent(value: str, kind: ClickHouseType, leaf: Leaf) -> Sent:
    """A value with everything inside it as `leaf` says; itself where that changes nothing."""
    kind = plain(kind)
    same = Sent(value, kind.name)
    match kind:
        case Array():
            inner = _sent("x", kind.element_type, leaf)
            if inner.sql == "x":
                return same
            return Sent(f"arrayMap(x -> {inner.sql}, {value})", f"Array({inner.type})")
        case Nested():
            return _sent(value, rows_of(kind), leaf)
        case Map():
            return _map(value, kind, leaf)
        case Tuple():
            return _tuple(value, kind, leaf)
    found = leaf(value, kind)
    if not found:
        return same
    is_marked = found.type.startswith(("Nullable", "Variant"))
    return found if is_marked or not kind.nullable else Sent(found.sql, f"Nullable({found.type})")


def _map(value: str, kind: Map, leaf: Leaf) -> Sent:
    key, item = _sent("k", kind.key_type, leaf), _sent("v", kind.value_type, leaf)
    if (key.sql, item.sql) == ("k", "v"):
        return Sent(value, kind.name)
    made = f"mapApply((k, v) -> ({key.sql}, {item.sql}), {value})"
    return Sent(made, f"Map({key.type}, {item.type})")


def _tuple(value: str, kind: Tuple, leaf: Leaf) -> Sent:
    # A cast is also computed for the rows that are NULL.
    given = f"assumeNotNull({value})" if kind.nullable else value
    parts = [f"tupleElement({given}, {n})" for n in range(1, len(kind.element_types) + 1)]
    inner = [_sent(part, of, leaf) for part, of in zip(parts, kind.element_types, strict=True)]
    if [each.sql for each in inner] == parts:
        return Sent(value, kind.name)
    names = [name for name, _ in fields(kind)]
    made = f"Tuple({_declared(list(zip(names, [each.type for each in inner], strict=True)))})"
    if kind.nullable:
        made = f"Nullable({made})"
    # A function's tuple has no names; casting gives them back.
    named = cast(f"tuple({', '.join(each.sql for each in inner)})", made)
    return Sent(f"if(isNull({value}), NULL, {named})" if kind.nullable else named, made)


def _variant(value: str, kind: Variant) -> Sent | None:
    """Each alternative as it is sent by itself."""
    parts = [f"variantElement({value}, {quote_string(of.name)})" for of in kind.element_types]
    inner = [_sent(part, of, _text) for part, of in zip(parts, kind.element_types, strict=True)]
    if [each.sql for each in inner] == parts or isinstance(kind, Geometry):
        return None
    made = f"Variant({', '.join(dict.fromkeys(each.type for each in inner))})"
    cases = [
        f"variantType({value}) = {quote_string(of.name)}, {cast(each.sql, made)}"
        for of, each in zip(kind.element_types, inner, strict=True)
    ]
    return Sent(f"multiIf({', '.join(cases)}, {cast('NULL', made)})", made)


def _declared(named: list[tuple[str, str]]) -> str:
    return ", ".join(f"{quote_name(name)} {of}" if name else of for name, of in named)
