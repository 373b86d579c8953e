"""Fields of JSON records and the columns that store them: equal in value, whatever their form."""

from typing import Any

import pytest

from jobs.accounting import fields


def differ(kind: str, field: Any, stored: str | None) -> bool:
    (comparison,) = fields.comparisons({"a": kind}, {"a": "`a`"})
    return fields.differs(comparison, {"a": field}, stored)


@pytest.mark.parametrize(
    ("kind", "field", "stored"),
    [
        ("UInt32", "100", "100"),
        ("UInt32", "1e2", "100"),
        ("Int64", "9007199254740993.0", "9007199254740993"),
        ("Decimal(10, 2)", "1.50", "1.5"),
        ("Float64", "150.50", "150.5"),
        ("Float64", "9007199254740993", "9007199254740992"),
        ("Float32", "0.1", "0.1"),
        ("LowCardinality(String)", "AAPL", "AAPL"),
        ("FixedString(6)", "AAPL", "AAPL\0\0"),
        ("UUID", "61F0C404-5CB3-11E7-907B-A6006AD3DBA0", "61f0c404-5cb3-11e7-907b-a6006ad3dba0"),
        ("Bool", True, "true"),
        ("DateTime64(6, 'UTC')", "2024-01-30T10:00:01.1200Z", "2024-01-30 10:00:01.120000"),
        ("DateTime64(6, 'UTC')", "2024-01-30 10:00:01", "2024-01-30 10:00:01.000000"),
        ("DateTime64(9)", "2024-01-30T12:00:01.123456789+02:00", "2024-01-30 10:00:01.123456789"),
        ("Date", "2024-01-30", "2024-01-30"),
        ("Nullable(Int8)", None, None),
        # What is not compared.
        ("UInt8", ["1"], "7"),
    ],
)
def test_equal_values_do_not_differ(kind: str, field: Any, stored: str | None) -> None:
    assert not differ(kind, field, stored)


@pytest.mark.parametrize(
    ("kind", "field", "stored"),
    [
        ("Int64", "9007199254740993.0", "9007199254740992"),
        ("UInt8", "x", "1"),
        ("Decimal(10, 2)", "1.501", "1.50"),
        ("Float64", "150.5", "150.50000000000003"),
        ("Float64", "x", "1"),
        ("String", "AAPL", "AAPL "),
        ("Bool", False, "true"),
        ("DateTime64(3)", "2024-01-30T10:00:01.1234", "2024-01-30 10:00:01.123"),
        ("DateTime64(3)", "2024-01-30T10:00:01+02:00", "2024-01-30 10:00:01.000"),
        ("DateTime", "today", "2024-01-30 10:00:01"),
        ("Nullable(Int8)", None, "0"),
        ("Nullable(Int8)", "0", None),
    ],
)
def test_different_values_differ(kind: str, field: Any, stored: str | None) -> None:
    assert differ(kind, field, stored)


def test_a_column_without_a_field_or_without_an_exact_text_is_not_compared() -> None:
    (comparison,) = fields.comparisons(
        {"a": "Int8", "b": "Array(Int8)", "c": "IPv6"}, {"a": "a", "b": "b", "c": "c", "d": "d"}
    )
    assert not fields.differs(comparison, {"b": "1"}, "7")


@pytest.mark.parametrize(
    ("value", "content"),
    [
        (b' {"a": 1.50, "b": "x"}', {"a": "1.50", "b": "x"}),
        (b'{"a": 1} and more', {"a": "1"}),
        (b'[{"a": 1}]', {"a": "1"}),
        (b'{"a": 1, "a": 2}', {"a": "2"}),
        ('{"a": "é"}'.encode("utf-8-sig"), {"a": "é"}),
        ('{"a": "é"}'.encode("utf-16"), {"a": "é"}),
        ('{"a": "é"}'.encode("utf-16-be"), {"a": "é"}),
        ('{"a": "é"}'.encode("utf-32-le"), {"a": "é"}),
    ],
)
def test_the_fields_are_those_of_the_first_object(value: bytes, content: dict[str, str]) -> None:
    assert fields.read(value) == content


@pytest.mark.parametrize("value", [None, b"", b"[]", b"[1]", b"1", b"\xff", b"{"])
def test_a_record_without_an_object_has_no_fields(value: bytes | None) -> None:
    with pytest.raises(ValueError):
        fields.read(value)
