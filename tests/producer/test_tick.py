"""What makes a row a tick, and the message it becomes."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from lib.pattern import Pattern
from producer import tick
from producer.tick import Tick

ROW = {"symbol": "AAPL", "price": 150.5, "volume": 1000, "timestamp": "2024-01-30T10:00:01.123456"}
SYMBOLS = Pattern("[A-Z0-9.-]{1,16}")
TIME = datetime(2024, 1, 30, 10, 0, 1, 123456)


def parse(row: dict[str, object], symbols: Pattern = SYMBOLS) -> Tick:
    return tick.parse(row, symbols)


def test_a_message_is_json_with_the_four_columns() -> None:
    assert json.loads(Tick("AAPL", 150.5, 1000, TIME).message()) == ROW


def test_a_message_always_has_microseconds() -> None:
    assert b'"2024-01-30T10:00:00.000000"' in Tick("A", 1.0, 1, datetime(2024, 1, 30, 10)).message()


def test_text_and_numbers_mean_the_same() -> None:
    text = {"symbol": "AAPL", "price": "150.50", "volume": "1000.0", "timestamp": ROW["timestamp"]}
    exact = {**ROW, "price": Decimal("150.5"), "volume": 1000.0}
    assert parse(text) == parse(exact) == parse(ROW) == Tick("AAPL", 150.5, 1000, TIME)


@pytest.mark.parametrize(
    "timestamp",
    [
        "2024-01-30T10:00:01.123456Z",
        "2024-01-30 10:00:01.123456+00:00",
        "2024-01-30T10:00:01.123456000Z",
        TIME,
        TIME.replace(tzinfo=UTC),
        (TIME + timedelta(hours=2)).replace(tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_timestamps_become_utc(timestamp: object) -> None:
    assert parse({**ROW, "timestamp": timestamp}).timestamp == TIME


@pytest.mark.parametrize(
    ("column", "value", "fact"),
    [
        ("symbol", "aapl", "symbol 'aapl' does not match '"),
        ("symbol", "A" * 17, "symbol"),
        ("symbol", "A\n", "symbol"),
        ("symbol", 5, "symbol 5"),
        ("symbol", "", "has no symbol"),
        ("price", None, "has no price"),
        ("price", 0, "price 0 is not a finite number above 0"),
        ("price", -1.5, "price -1.5"),
        ("price", "NaN", "price 'NaN'"),
        ("price", float("inf"), "price inf"),
        ("price", "1" * 400, "price '1111"),
        ("price", " 150.5 ", "price ' 150.5 '"),
        ("price", "+1", "price"),
        ("price", "1_000", "price '1_000'"),
        ("price", "\u0663", "price"),
        ("price", True, "price True"),
        ("price", "x" * 1000, "price 'xxx"),
        ("volume", 1.5, "volume 1.5 is not a whole number from 0 to 4294967295"),
        ("volume", -1, "volume -1"),
        ("volume", 2**32, "volume 4294967296"),
        ("volume", [1], r"volume \[1\]"),
        ("volume", Decimal("1.000000000000000000001"), "volume Decimal"),
        (
            "timestamp",
            "yesterday",
            "'yesterday' is not a time in UTC as 2024-01-30T10:00:01.123456Z, 1900 to 2299",
        ),
        ("timestamp", 1706608801, "timestamp 1706608801"),
        ("timestamp", "1712101512345", "timestamp '1712101512345'"),
        ("timestamp", "2024-01-02", "timestamp"),
        ("timestamp", "2024-01-02T10", "timestamp"),
        ("timestamp", "2024-01-30T10:00:01.123456789Z", "timestamp"),
        ("timestamp", "2024-01-30T12:00:01+02:00", "timestamp"),
        ("timestamp", TIME.replace(year=1899), "timestamp"),
        ("timestamp", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=10))), "timestamp"),
    ],
)
def test_an_invalid_value_is_named(column: str, value: object, fact: str) -> None:
    with pytest.raises(ValueError, match=fact) as caught:
        parse({**ROW, column: value})
    assert len(str(caught.value)) < 120


def test_all_missing_columns_are_named() -> None:
    with pytest.raises(ValueError, match="has no price, timestamp"):
        parse({"symbol": "A", "volume": 1})


def test_bounds_are_valid() -> None:
    assert parse({**ROW, "volume": 0}).volume == 0
    assert parse({**ROW, "volume": 2**32 - 1}).volume == 4294967295
    for symbol in ("BRK.B", "0-9", "A" * 16):
        assert parse({**ROW, "symbol": symbol}).symbol == symbol


@pytest.mark.parametrize("symbol", ["^GSPC", "BF/B"])
def test_symbols_match_the_pattern_of_the_settings(symbol: str) -> None:
    row = {**ROW, "symbol": symbol}
    with pytest.raises(ValueError, match="does not match"):
        parse(row)
    assert parse(row, Pattern("[A-Z^/]{1,16}")).symbol == symbol
