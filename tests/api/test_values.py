"""What parameters take, and how values reach ClickHouse."""

import re

import pytest

from api.contract import scalars
from api.contract.declarations import param
from api.contract.parameters import Declared, Param, bound, read
from lib.clickhouse_types import parse
from lib.errors import SqlFileError


def made(kind: str, low: str = "", high: str = "", pattern: str | None = None) -> Param:
    return param("f:1", Declared("p", None, low, high, pattern, "P."), kind, "f:2")


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
    found = made(kind)
    assert bound(found, read(found, [text])) == written


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
def test_what_does_not_fit_is_refused(kind: str, text: str) -> None:
    with pytest.raises(ValueError):
        read(made(kind), [text])


def test_bounds_are_of_a_value_a_length_or_a_count() -> None:
    for kind, right, wrong in (
        ("UInt8", "5", "6"),
        ("String", "abcde", "abcdef"),
        ("Array(UInt8)", "1,2,3,4,5", "1,2,3,4,5,6"),
    ):
        found = made(kind, "2", "5")
        read(found, [right])
        with pytest.raises(ValueError):
            read(found, [wrong])
        with pytest.raises(ValueError):
            read(found, ["1"])


@pytest.mark.parametrize(
    "kind", ["Nothing", "Map(String, String)", "Array(Array(String))", "(", ""]
)
def test_a_type_that_no_address_can_say_is_refused(kind: str) -> None:
    with pytest.raises(SqlFileError, match="f:2: "):
        made(kind)


@pytest.mark.parametrize("kind", ["DateTime64(6, 'UTC')", "DateTime('UTC')"])
@pytest.mark.parametrize("text", ["2024-01-30", "2024-02-28T23:59:59Z", "2024-12-31 00:00+01:00"])
def test_the_pattern_of_a_description_says_what_is_read(kind: str, text: str) -> None:
    scalar = scalars.scalar(parse(kind))
    assert re.search(scalar.schema["pattern"], text)
    scalar.read(text)
