"""Parameters: declarations, defaults, bounds, lists, and sample values."""

from typing import Any

import pytest

from api.contract.parameter_declarations import declaration
from api.contract.parameter_declarations import parameter as parameter_of
from api.contract.parameters import Parameter, parse, sample, split
from lib.errors import SqlFileError


def parameter(kind: str, rest: str = "") -> Parameter:
    return parameter_of("f:1", declaration("f:1", f"p{rest}: P."), kind, "f:2")


def test_a_list_is_split_at_commas_that_are_not_escaped() -> None:
    assert split(r"a\,b,\\,c\d,\\\,e\\") == ["a,b", "\\", "c\\d", "\\,e\\"]
    assert split(",") == ["", ""]
    assert split("a\\") == ["a\\"]


@pytest.mark.parametrize(
    ("kind", "text", "default"),
    [
        ("String", "''", ""),
        ("String", "'null'", "null"),
        ("String", "'it''s'", "it's"),
        ("String", "'a: b'", "a: b"),
        ("String", "' '", " "),
        ("String", "plain text", "plain text"),
        ("Nullable(String)", "null", None),
        ("Nullable(String)", "'null'", "null"),
        ("Nullable(String)", "''", ""),
        ("UInt8", "'5'", 5),
        ("Array(String)", "[]", []),
        ("Array(String)", "''", [""]),
        ("Array(String)", "'[]'", ["[]"]),
        ("Array(String)", "a, 'b, c' ,'d''e'", ["a", "b, c", "d'e"]),
        ("Array(String)", "a,,b", ["a", "", "b"]),
        ("Array(UInt8)", "1,2", [1, 2]),
    ],
)
def test_a_quoted_default_is_taken_literally(kind: str, text: str, default: Any) -> None:
    declared = parameter(kind, f" = {text}")
    assert (declared.default, declared.required) == (default, False)


def test_only_an_array_can_be_repeated() -> None:
    with pytest.raises(SqlFileError, match="f:1: p is not an Array"):
        parameter("String", " repeated")


@pytest.mark.parametrize(
    ("kind", "rest"),
    [
        ("UInt16", " [1..1000]"), ("UInt16", " [5..]"), ("Int8", " [..-3]"), ("Float64", " [2..3]"),
        ("String", ""), ("String", " [5..9]"), ("String", " [..1]"), ("String", " [20..]"),
        ("Array(UInt8)", " [2..3]"), ("Array(String)", ""), ("Date", " [2025-01-01..]"),
        ("DateTime64(6, 'UTC')", " [..1999-01-01]"), ("UUID", ""), ("Bool", ""),
        ("Enum8('a', 'b')", ""),
        ("Array(String)", " [1..20] /[A-Z0-9.-]{1,16}/"), ("Nullable(UInt8)", " [7..]"),
    ],
)  # fmt: skip
def test_a_sample_fits_its_parameter(kind: str, rest: str) -> None:
    declared = parameter(kind, rest)
    value = sample(declared)
    texts = [str(item) for item in value] if declared.is_array else [str(value).lower()]
    if kind == "String":
        texts = [value]
    assert parse(declared, texts) == value


def test_bounds_limit_a_value_a_length_or_a_count() -> None:
    for kind, right, wrong in (
        ("UInt8", "5", "6"),
        ("String", "abcde", "abcdef"),
        ("Array(UInt8)", "1,2,3,4,5", "1,2,3,4,5,6"),
    ):
        declared = parameter(kind, " [2..5]")
        parse(declared, [right])
        with pytest.raises(ValueError):
            parse(declared, [wrong])
        with pytest.raises(ValueError):
            parse(declared, ["1"])
