"""Every value goes through a real ClickHouse, and comes back as it was or is refused."""

import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client

from jobs.sink import columns, insert_policy
from jobs.targets import types
from lib.errors import JobError

UTC = "UTC"


def stored(client: Client, database: str, kind: str, values: Any, rows: int = 1) -> list[Any]:
    """The values in ClickHouse after a cast and an insert as in the sink."""
    table = f"{database}.values"
    client.command(
        f"CREATE OR REPLACE TABLE {table} (id UInt32 DEFAULT rowNumberInAllBlocks(), x {kind})"
        " ENGINE = MergeTree ORDER BY tuple()",
        settings={"allow_suspicious_low_cardinality_types": 1},
    )
    where = {"d": database}
    shown = client.query(
        "SELECT type FROM system.columns WHERE database = {d:String} AND name = 'x'", where
    ).result_rows[0][0]
    column = types.column("x", shown)
    batch = pa.table([columns.cast(column, values, rows)], schema=types.schema([column]))
    client.insert_arrow(
        table, batch, settings=insert_policy.settings(uuid.uuid4().hex, uuid.uuid4().hex)
    )
    return [row[0] for row in client.query(f"SELECT toString(x) FROM {table}").result_rows]


def refused(kind: str, values: Any, rows: int = 1) -> str:
    with pytest.raises(JobError) as error:
        columns.cast(types.column("x", kind), values, rows)
    text = str(error.value)
    assert text.startswith("column x ") and "\n" not in text
    return text


def times(*values: Any, unit: str = "us", tz: str | None = None) -> pa.Array:
    return pa.array(values, pa.timestamp(unit, tz))


BIG, LEAST = (Decimal(sign + "9" * 56 + "." + "9" * 20) for sign in ("", "-"))
INTEGERS = {
    "Int8": (-(2**7), 2**7 - 1),
    "Int16": (-(2**15), 2**15 - 1),
    "Int32": (-(2**31), 2**31 - 1),
    "Int64": (-(2**63), 2**63 - 1),
    "UInt8": (0, 2**8 - 1),
    "UInt16": (0, 2**16 - 1),
    "UInt32": (0, 2**32 - 1),
    "UInt64": (0, 2**64 - 1),
}


@pytest.mark.parametrize(("kind", "ends"), INTEGERS.items())
def test_integers_keep_their_ends_and_take_nothing_beyond(
    client: Client, database: str, kind: str, ends: tuple[int, int]
) -> None:
    low, high = ends
    decimals = pa.array([Decimal(low), Decimal(high), None], pa.decimal128(38, 0))
    assert stored(client, database, f"Nullable({kind})", decimals) == [str(low), str(high), None]
    texts = pa.array([str(low), str(high)])
    assert stored(client, database, kind, texts) == [str(low), str(high)]
    assert stored(client, database, kind, high, rows=2) == [str(high)] * 2
    for beyond in (low - 1, high + 1):
        refused(kind, pa.array([Decimal(beyond)], pa.decimal128(38, 0)))
        refused(kind, pa.array([str(beyond)]))
        refused(kind, beyond)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("Nullable(Int64)", pa.array([2**53 + 1, None]), ["9007199254740993", None]),
        ("Int64", pd.Series([1.0, 2.0]), ["1", "2"]),
        ("Nullable(Int64)", pd.Series([2.0**53 - 1, None]), ["9007199254740991", None]),
        ("Int64", pd.Series([2**53 + 1]), ["9007199254740993"]),
        ("Int64", pa.array([2.0**60]), [str(2**60)]),
        ("LowCardinality(UInt32)", pa.array([7]), ["7"]),
        ("SimpleAggregateFunction(max, Int64)", pa.array([7]), ["7"]),
        ("Float64", pa.array([1e308, -0.0, 5e-324]), ["1e308", "-0", "5e-324"]),
        ("Float64", pa.array([float("nan"), float("inf")]), ["nan", "inf"]),
        ("Nullable(Float64)", pa.array([float("nan"), None]), ["nan", None]),
        ("Float64", pa.array([2**53]), ["9007199254740992"]),
        ("Float32", pa.array([1.5, -0.0, float("-inf")]), ["1.5", "-0", "-inf"]),
        ("Bool", pa.array([True, False]), ["true", "false"]),
        ("Nullable(Bool)", pa.array([True, None]), ["true", None]),
        ("String", pa.array(["", "a\0b", "naïve 株"]), ["", "a\0b", "naïve 株"]),
        ("String", pa.array(["a"], pa.large_string()), ["a"]),
        ("LowCardinality(Nullable(String))", pa.array(["a", None, ""]), ["a", None, ""]),
        ("FixedString(3)", pa.array(["abc", "é"]), ["abc", "é"]),
        ("LowCardinality(FixedString(2))", pa.array(["ab"]), ["ab"]),
        ("Enum8('a' = 1, 'it''s' = 2)", pa.array(["a", "it's"]), ["a", "it's"]),
        ("Nullable(Enum16('a' = 1, 'b' = 2000))", pa.array(["b", None]), ["b", None]),
        ("Date", pa.array([date(1970, 1, 1), date(2149, 6, 6)]), ["1970-01-01", "2149-06-06"]),
        ("Date32", pa.array([date(1900, 1, 1), date(2299, 12, 31)]), ["1900-01-01", "2299-12-31"]),
        ("Nullable(Date)", pd.Series([date(2024, 2, 29), None]), ["2024-02-29", None]),
        (
            "Nullable(DateTime64(6, 'UTC'))",
            pa.array(["2024-01-30T10:00:01.123456", "1900-01-01 00:00:00", None]),
            ["2024-01-30 10:00:01.123456", "1900-01-01 00:00:00.000000", None],
        ),
        ("Decimal(9, 2)", pa.array([Decimal("-9999999.99")]), ["-9999999.99"]),
        (
            "Decimal(38, 10)",
            pa.array([Decimal("9" * 28 + "." + "9" * 10)]),
            ["9" * 28 + "." + "9" * 10],
        ),
        ("Decimal(76, 20)", pa.array([BIG, LEAST], pa.decimal256(76, 20)), [str(BIG), str(LEAST)]),
        ("Decimal(10, 2)", pa.array([5, -5]), ["5", "-5"]),
        ("Decimal(10, 2)", pa.array(["1.50"]), ["1.5"]),
        ("Decimal(10, 2)", pa.array([150.12]), ["150.12"]),
        (
            "Nullable(Decimal(18, 4))",
            pd.Series([Decimal("1.50"), None, Decimal("12345.6789")], dtype=object),
            ["1.5", None, "12345.6789"],
        ),
        ("Array(Int64)", pa.array([[1, 2**53 + 1], []]), ["[1,9007199254740993]", "[]"]),
        ("Array(Nullable(String))", pa.array([["a", None]]), ["['a',NULL]"]),
        ("Array(Array(Float64))", pa.array([[[1.5], []], []]), ["[[1.5],[]]", "[]"]),
        ("Array(LowCardinality(String))", pa.array([["a"]]), ["['a']"]),
        ("Array(DateTime64(6, 'UTC'))", pa.array([[datetime(1969, 12, 31, 23, 59, 59, 999999)]]),
         ["['1969-12-31 23:59:59.999999']"]),
        ("Array(Int64)", pd.Series([[1], [2, 3]]), ["[1]", "[2,3]"]),
    ],

)  # fmt: skip
def test_a_value_that_a_column_can_hold_comes_back_unchanged(
    client: Client, database: str, kind: str, values: Any, expected: list[str | None]
) -> None:
    assert stored(client, database, kind, values) == expected


def test_bytes_of_no_encoding_are_kept(client: Client, database: str) -> None:
    stored(client, database, "String", pa.array([b"\xff\x00"]))
    assert client.command(f"SELECT hex(x) FROM {database}.values") == "FF00"


@pytest.mark.parametrize(
    ("scale", "first", "last"),
    [
        (0, "1900-01-01 00:00:00", "2299-12-31 23:59:59"),
        (1, "1900-01-01 00:00:00.0", "2299-12-31 23:59:59.9"),
        (3, "1900-01-01 00:00:00.000", "2299-12-31 23:59:59.999"),
        (4, "1900-01-01 00:00:00.0000", "2299-12-31 23:59:59.9999"),
        (6, "1900-01-01 00:00:00.000000", "2299-12-31 23:59:59.999999"),
        (9, "1900-01-01 00:00:00.000000000", "2262-04-11 23:47:16.854775000"),
    ],
)
def test_times_keep_their_ends_and_take_nothing_beyond_or_finer(
    client: Client, database: str, scale: int, first: str, last: str
) -> None:
    kind = f"DateTime64({scale}, 'UTC')"
    ends = [datetime.fromisoformat(text[:26]) for text in (first, last)]
    assert stored(client, database, kind, times(*ends)) == [first, last]
    tick = timedelta(microseconds=max(1, 10 ** (6 - scale)))
    refused(kind, times(ends[0] - tick))
    refused(kind, times(ends[1] + tick))
    if scale < 6:
        refused(kind, times(datetime(2024, 1, 1), datetime(2024, 1, 1, 0, 0, 0, 1)))
    else:
        before = datetime(1969, 12, 31, 23, 59, 59, 999999)
        assert stored(client, database, kind, times(before))[0].startswith(str(before))


def test_a_time_is_an_instant_whatever_the_zones(client: Client, database: str) -> None:
    noon = datetime(2024, 7, 1, 12)
    assert stored(client, database, "DateTime('Europe/Berlin')", times(noon)) == [
        "2024-07-01 14:00:00"
    ]
    aware = pd.Series(pd.to_datetime([noon])).dt.tz_localize("Europe/Berlin")
    assert stored(client, database, "DateTime64(3, 'UTC')", aware) == ["2024-07-01 10:00:00.000"]
    assert stored(client, database, "DateTime('UTC')", pa.array([date(2024, 7, 1)])) == [
        "2024-07-01 00:00:00"
    ]


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("a", "String", "a"),
        (2**63, "UInt64", str(2**63)),
        (1.5, "Float64", "1.5"),
        (True, "Bool", "true"),
        (Decimal("1.5"), "Decimal(10, 2)", "1.5"),
        (date(2024, 1, 1), "Date", "2024-01-01"),
        (None, "Nullable(Int64)", None),
        (None, "Nullable(String)", None),
        (None, "Nullable(DateTime64(6, 'UTC'))", None),
        (None, "Nullable(Decimal(76, 3))", None),
    ],
)
def test_a_constant_fills_every_row(
    client: Client, database: str, value: Any, kind: str, expected: str | None
) -> None:
    assert stored(client, database, kind, value, rows=3) == [expected] * 3


@pytest.mark.parametrize(
    ("kind", "values", "fact"),
    [
        ("Int64", pa.array([0.5]), "cannot take 0.5"),
        ("Int64", pa.array([float("nan")]), "cannot take nan"),
        ("Int64", pa.array([2.0**63]), "cannot take 9.2"),
        ("UInt64", pa.array([2.0**64]), "cannot take 1.8"),
        ("UInt8", pa.array([1, 2, -1, 3]), "cannot take -1"),
        ("Int64", pd.Series([2.0**53, None]), "may be rounded already"),
        ("Int64", pa.array([Decimal("1.5")]), "cannot take 1.5"),
        ("Int64", pa.array([1, None]), "takes no NULL"),
        ("String", pa.array([None], pa.string()), "takes no NULL"),
        ("String", None, "takes no NULL"),
        ("Array(Int64)", pa.array([[1, None]]), "takes no NULL"),
        ("Array(Int64)", pa.array([[1], None]), "takes no NULL"),
        ("Array(Float32)", pa.array([[0.1]]), "rounded"),
        ("Array(FixedString(2))", pa.array([["abc"]]), "too long"),
        ("Array(DateTime('UTC'))", pa.array([[datetime(1969, 1, 1)]]), "beyond"),
        ("Array(Int64)", pa.array([1]), "it is int64"),
        ("Int64", pa.array([[1]]), "it is list"),
        ("Int64", pa.array([True]), "it is bool"),
        ("Int64", True, "it is bool"),
        ("Bool", pa.array([2]), "it is int64"),
        ("Int64", times(datetime(2024, 1, 1)), "it is timestamp"),
        ("DateTime('UTC')", pa.array([5]), "it is int64"),
        ("DateTime('UTC')", pa.array(["2024-01-01T00:00:00.5"]), "Failed to parse"),
        ("DateTime64(6, 'UTC')", pa.array(["2024-01-01T00:00:00Z"]), "it has a zone"),
        ("DateTime64(6, 'UTC')", pa.array(["2024-02-30T00:00:00"]), "Failed to parse"),
        ("DateTime64(6, 'UTC')", pa.array(["2300-01-01T00:00:00"]), "beyond what"),
        ("DateTime64(6, 'UTC')", datetime(2024, 1, 1), "milliseconds"),
        ("Date", times(datetime(2024, 1, 1, 10)), "it is timestamp"),
        ("Int32", pa.array([1], pa.time32("ms")), "it is time32"),
        ("String", pa.array([1]), "it is int64"),
        ("Float64", pa.array(["1"]), "it is string"),
        ("Enum8('a' = 1)", pa.array([1]), "it is int64"),
        ("Enum8('a' = 1)", pa.array(["1"]), "cannot take 1: the column has no such element"),
        ("Int64", pa.array(["1.0"]), "cannot take 1.0"),
        ("Int64", pa.array(["12\nx"]), "cannot take 12 x"),
        ("Int64", pd.Series([1, "a"], dtype=object), ""),
        ("Float32", pa.array([0.1]), "rounded"),
        ("Float32", pa.array([1e308]), "rounded"),
        ("Float64", pa.array([2**53 + 1]), "cannot take 9007199254740993"),
        ("Decimal(10, 2)", pa.array([Decimal("1.005")]), "cannot take 1.005"),
        ("Decimal(10, 2)", pa.array([Decimal("123456789")]), "cannot take 123456789"),
        ("Decimal(10, 2)", pa.array([10**9]), ""),
        ("Decimal(10, 2)", pa.array([150.123]), "rounded"),
        ("Decimal(10, 2)", pa.array([float("nan")]), "nan"),
        ("Decimal(10, 2)", Decimal("NaN"), ""),
        ("Decimal(10, 2)", pa.array(["NaN"]), "NaN"),
        ("FixedString(3)", pa.array(["éé"]), "4 bytes is too long"),
        ("Enum8('a' = 1)", pa.array([b"\xff"]), "it is binary"),
        ("Date", pa.array([date(1969, 12, 31)]), "beyond"),
        ("Date", pa.array([date(2149, 6, 7)]), "beyond"),
        ("Date32", pa.array([date(1899, 12, 31)]), "beyond"),
        ("Date32", pa.array([date(2300, 1, 1)]), "beyond"),
        ("DateTime('UTC')", times(datetime(1969, 12, 31, 23, 59, 59)), "beyond"),
        ("DateTime('UTC')", times(datetime(2106, 2, 7, 6, 28, 16)), "beyond"),
        ("DateTime('UTC')", times(datetime(2024, 1, 1, 0, 0, 0, 1)), "lose data"),
    ],
)
def test_a_value_that_a_column_cannot_hold_is_refused(kind: str, values: Any, fact: str) -> None:
    assert fact in refused(kind, values)
