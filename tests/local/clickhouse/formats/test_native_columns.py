"""Columns of each type in Native blocks."""

from lib.clickhouse_errors import Code
from tests.local.clickhouse.conftest import Embedded, code_of

GO = 54460  # the version of clickhouse-go 2.51


TYPES = [
    "1::Int256", "1.5::BFloat16", "1.5::Decimal(76, 3)", "now()", "now64(6, 'UTC')", "''",
    "repeat('x', 300)", "'1'::FixedString(7)", "NULL", "NULL::Nullable(Int8)", "'a'::Enum8('a')",
    "'x'::LowCardinality(String)", "NULL::LowCardinality(Nullable(String))", "[]", "[['a'], []]",
    "['x', 'y']::Array(LowCardinality(String))", "[]::Array(LowCardinality(String))",
    "map('a', 'b')::Map(LowCardinality(String), LowCardinality(Nullable(String)))", "tuple()",
    "[(1, 'x')]::Nested(a Int8, b String)", "[(1, 'x'::LowCardinality(String))]",
    "'x'::Variant(Int8, String, Array(LowCardinality(String)))", "[1::Dynamic, 'x'::Dynamic]",
    "'x'::Dynamic(max_types=0)", """'{"a": 1, "b": {"c": [1, 2]}}'::JSON""",
    """'{"a": 1, "b": "x"}'::JSON(a UInt8, max_dynamic_paths=0)""", "(1., 2.)::Point",
    "[[[(1., 2.)]]]::MultiPolygon", "[[(1., 2.)]]::MultiLineString", "(1., 2.)::Point::Geometry",
    "1::SimpleAggregateFunction(max, UInt8)", "true", "'::1'::IPv6", "generateUUIDv4()",
    "'10:00:00'::Time64(3)", "[1, 2]::QBit(Float32, 2)", "(1, 'x')::Nullable(Tuple(Int8, String))",
]  # fmt: skip


def ask(server: Embedded, sql: str, version: int) -> bytes:
    params = {"default_format": "Native", "client_protocol_version": str(version)}
    response = server.post(sql, **params)
    assert response.status_code == 200, response.text
    return response.content


def test_a_column_of_any_type_is_stepped_over(server: Embedded) -> None:
    columns = ", ".join(
        f"materialize({kind}) AS x{n}, 'tail' AS y{n}" for n, kind in enumerate(TYPES)
    )
    answer = ask(server, f"SELECT {columns} FROM numbers(3)", GO)
    for number in range(len(TYPES)):
        name = b"y%d" % number
        tail = bytes([len(name)]) + name + b"\x06String\x00" + b"\x04tail" * 3
        assert answer.count(tail) == 1, TYPES[number]
    assert answer.endswith(tail)


def test_an_aggregation_state_is_refused_with_a_remedy(server: Embedded) -> None:
    params = {"default_format": "Native", "client_protocol_version": str(GO)}
    response = server.post("SELECT sumState(1)", **params)
    assert code_of(response) == Code.NOT_IMPLEMENTED
    assert "AggregateFunction(sum, UInt8)" in response.text
    assert "finish the aggregation" in response.text
