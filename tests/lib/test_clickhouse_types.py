"""Types as ClickHouse and SQL files write them."""

import logging

import pytest
from clickhouse_connect.datatypes.container import Array, Tuple
from clickhouse_connect.datatypes.numeric import Decimal, Enum
from clickhouse_connect.datatypes.temporal import DateTime64

from lib.clickhouse_types import parse, plain


def test_a_type_is_parsed_with_its_parts() -> None:
    kind = parse("Tuple(a Nullable(DateTime64(6, 'UTC')), `b c` Enum8('x, (' = 1, 'y' = -2))")
    assert isinstance(kind, Tuple)
    assert kind.element_names == ("a", "b c")
    moment, choice = kind.element_types
    assert isinstance(moment, DateTime64)
    assert (moment.nullable, moment.scale) == (True, 6)
    assert isinstance(choice, Enum)
    assert {*choice.type_def.keys} == {"x, (", "y"}
    money = parse("LowCardinality(Nullable(Decimal64(2)))")
    assert isinstance(money, Decimal)
    assert (money.prec, money.scale, money.nullable, money.low_card) == (18, 2, True, True)


def test_an_aggregated_column_has_the_type_of_its_values() -> None:
    kind = parse("SimpleAggregateFunction(anyLast, Tuple(at DateTime64(6, 'UTC'), n Int64))")
    assert isinstance(kind, Tuple)
    inside = parse("Array(SimpleAggregateFunction(sum, UInt64))")
    assert isinstance(inside, Array)
    assert plain(inside.element_type).name == "UInt64"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Enum8('1s', '5s', 'a b')", (1, 2, 3)),
        ("Enum('a', 'b' = 7, 'it\\'s', 'x = 2, (')", (1, 7, 8, 9)),
        ("Enum16('a' = -3, 'b')", (-3, -2)),
    ],
)
def test_members_without_a_number_get_the_next(text: str, numbers: tuple[int, ...]) -> None:
    assert parse(text).type_def.values == numbers
    inside = parse(f"Array({text})")
    assert isinstance(inside, Array)
    assert inside.element_type.type_def.values == numbers


@pytest.mark.parametrize(
    "text",
    ["", "(", "Thing", "Array(", "Array()", "Array(Thing)", "Nullable(Int64", "DateTime64(a)",
     "Enum8('a' = 1", "DateTime('Nowhere/X')", "LowCardinality(String) x", "Map(String)"],
)  # fmt: skip
def test_an_unknown_type_is_a_value_error_and_is_not_logged(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(ValueError, match="is not a known type"):
        parse(text)
    assert caplog.records == []
