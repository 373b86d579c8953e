"""Values of each type: parsed from a request and written for ClickHouse."""

import re

import pytest

from api.contract import parameter_types
from api.contract.parameter_declarations import declaration
from api.contract.parameter_declarations import parameter as parameter_of
from api.contract.parameters import Parameter, bind, parse
from lib import clickhouse_types as types
from lib.errors import SqlFileError


def parameter(kind: str) -> Parameter:
    return parameter_of("f:1", declaration("f:1", "p: P."), kind, "f:2")


@pytest.mark.parametrize(
    ("kind", "text", "written"),
    [
        ("UInt8", "255", "255"),
        ("Int64", "-9223372036854775808", "-9223372036854775808"),
        ("Float64", "1e5", "100000.0"),
        ("Bool", "1", "true"),
        ("String", "a'b\\\n\t", "a'b\\\\\\n\\t"),
        ("LowCardinality(Nullable(String))", "\\N", "\\\\N"),
        ("Date", "2024-02-29", "2024-02-29"),
        ("DateTime('UTC')", "2024-01-30T10:00:01+02:00", "2024-01-30 08:00:01"),
        ("DateTime64(6, 'UTC')", "2024-01-30 10:00:01.5Z", "2024-01-30 10:00:01.500000"),
        ("DateTime64(3, 'UTC')", "2024-01-30", "2024-01-30 00:00:00.000000"),
        ("Enum8('a b' = 1, 'c')", "a b", "a b"),
        ("UUID", "61F0C404-5CB3-11E7-907B-A6006AD3DBA0", "61f0c404-5cb3-11e7-907b-a6006ad3dba0"),
        ("Array(String)", "a'b,c\\", "['a\\'b','c\\\\']"),
        ("Array(UInt8)", "1,2", "['1','2']"),
        ("Array(String)", "", "['']"),
    ],
)
def test_a_value_is_written_for_clickhouse(kind: str, text: str, written: str) -> None:
    declared = parameter(kind)
    assert bind(declared, parse(declared, [text])) == written


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("UInt8", "256"), ("UInt8", "1.0"), ("UInt8", "\u0661"), ("UInt8", "1_0"), ("UInt8", ""),
        ("Float64", "nan"), ("Float64", "inf"), ("Float64", "1e400"), ("Float64", "0x1"),
        ("Bool", "yes"), ("Date", "2024-02-30"), ("Date", "1969-12-31"), ("String", "\0"),
        ("DateTime('UTC')", "2024-01-30T10:00:01.5Z"), ("DateTime('UTC')", "now"),
        ("DateTime64(6, 'UTC')", "2024-01-30T10:00.5"), ("DateTime64(6, 'UTC')", "2024-1-30"),
        ("DateTime64(6, 'UTC')", "0001-01-01T00:00:00+14:00"),
        ("DateTime64(3, 'UTC')", "2024-01-30T10:00:00.0001"),
        ("Enum8('a' = 1)", "b"), ("UUID", "x"), ("Array(UInt8)", "1,x"), ("Array(UInt8)", "1,,2"),
    ],
)  # fmt: skip
def test_an_invalid_value_is_refused(kind: str, text: str) -> None:
    with pytest.raises(ValueError):
        parse(parameter(kind), [text])


@pytest.mark.parametrize(
    "kind", ["Nothing", "Map(String, String)", "Array(Array(String))", "(", ""]
)
def test_a_type_without_a_text_form_is_refused(kind: str) -> None:
    with pytest.raises(SqlFileError, match="f:2: "):
        parameter(kind)


@pytest.mark.parametrize("kind", ["DateTime64(6, 'UTC')", "DateTime('UTC')"])
@pytest.mark.parametrize("text", ["2024-01-30", "2024-02-28T23:59:59Z", "2024-12-31 00:00+01:00"])
def test_the_pattern_of_a_schema_matches_what_is_parsed(kind: str, text: str) -> None:
    scalar = parameter_types.scalar(types.parse(kind))
    assert re.search(scalar.schema["pattern"], text)
    scalar.parse(text)
