"""Columns of every type in JSON, CSV and Arrow."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from api.http import schemas
from tests.api.query_runner import QueryRunner
from tests.api.support import Api, insert

HEAD = "-- One row.\n"
BIG = 9007199254740993


def rows(runner: QueryRunner, *columns: str) -> dict[str, Any]:
    (row,) = runner.rows(f"{HEAD}SELECT {', '.join(columns)}")
    return row


def test_an_aggregated_column_is_encoded_as_its_values(runner: QueryRunner, tables: Client) -> None:
    insert(tables, [("A", 100.0, 2, 60.5, 7)])
    sql = f"{HEAD}SELECT last, [last] AS list, map('k', last) AS named FROM stocks.latest"
    (row,) = runner.rows(sql)
    last = {
        "timestamp": "2024-01-30T00:01:00.500000Z", "kafka_offset": "7", "price": 100, "volume": 2,
    }  # fmt: skip
    assert {name: row["last"][name] for name in last} == last
    assert (row["list"], row["named"]) == ([row["last"]], {"k": row["last"]})
    schema = runner.query(sql).columns["last"]
    assert schemas.schema_of(schema)["properties"]["timestamp"]["format"] == "date-time"
    table = pa.ipc.open_stream(runner.answer(sql, "format=arrow")).read_all()
    moment = table.schema.field("last").type.field("timestamp").type
    assert moment == pa.timestamp("us", tz="UTC")


def test_a_column_may_have_any_name(runner: QueryRunner) -> None:
    text = (
        f"{HEAD}-- @page id, file\nSELECT number AS id, toUInt64(1) AS `high/low`,"
        " toInt64(2) AS file, toDateTime(0) AS url, 'x' AS `a\\`b\\\\`,"
        " toInt64(3) AS `a, b` FROM numbers(3)"
    )
    row = {
        "high/low": "1", "file": "2", "url": "1970-01-01T00:00:00.000000Z", "a`b\\": "x",
        "a, b": "3",
    }  # fmt: skip
    pages = runner.pages(text, 2)
    assert [each for page in pages for each in page] == [{"id": str(n), **row} for n in range(3)]
    table = pa.ipc.open_stream(runner.answer(text, "format=arrow")).read_all()
    assert {*table.column_names} == {"id", *row}
    header = runner.answer(text, "format=csv").splitlines()[0]
    assert header == b'"id","high/low","file","url","a`b\\","a, b"'


def test_64_bit_integers_in_a_variant_nested_or_interval_are_strings(runner: QueryRunner) -> None:
    variant = "Variant(UInt64, Bool, String, Array(Int64), DateTime64(3, \\'UTC\\'))"
    values = [f"{BIG}::UInt64", "'x'", "[-1::Int64]", "true", "toDateTime64(1.5, 3, 'UTC')"]
    row = rows(
        runner,
        *(f"CAST({value}, '{variant}') AS v{n}" for n, value in enumerate(values)),
        f"CAST(NULL, '{variant}') AS never",
        f"CAST([({BIG}, 'x')], 'Nested(n UInt64, `a b` String)') AS nested",
        "INTERVAL 3 DAY AS days",
        f"CAST(tuple({BIG}), 'Nullable(Tuple(n UInt64))') AS pair",
        "CAST(NULL, 'Nullable(Tuple(n UInt64))') AS no_pair",
        "map(toDateTime('2024-01-30 10:00:00', 'Asia/Tokyo'), 1) AS by_moment",
        "[[toUInt64(1)], []] AS lists",
    )
    assert row == {
        "v0": str(BIG), "v1": "x", "v2": ["-1"], "v3": True, "v4": "1970-01-01T00:00:01.500000Z",
        "never": None, "nested": [{"n": str(BIG), "a b": "x"}], "days": "3",
        "pair": {"n": str(BIG)}, "no_pair": None, "lists": [["1"], []],
        "by_moment": {"2024-01-30T01:00:00.000000Z": 1},
    }  # fmt: skip


def test_every_kind_of_column_is_safe_for_a_browser(
    make_api: Callable[..., Api], tables: Client
) -> None:
    api = make_api()
    (api.sql / "kinds.sql").write_text(
        "-- One row of everything.\n"
        "SELECT toUInt64(18446744073709551615) AS big, [toInt64(-1)] AS bigs, nan AS nothing,\n"
        "inf AS all, toDecimal64('1.50', 2) AS dec, toNullable(toInt64(7)) AS maybe,\n"
        "CAST((1, toDateTime('2024-01-30 10:00:00', 'Europe/Berlin')),"
        " 'Tuple(n UInt64, at DateTime(\\'Europe/Berlin\\'))') AS pair,\n"
        "map('k', toUInt64(1)) AS m, toDate('2024-01-30') AS day, true AS yes,\n"
        "toDateTime64('2024-01-30 10:00:00.123456789', 9, 'UTC') AS fine,\n"
        "toDateTime64('2024-01-30 10:00:00.1234567', 7, 'Asia/Tokyo') AS seven,\n"
        "toDateTime64('2024-01-30 10:00:00.007', 3, 'UTC') AS milli,\n"
        "toDateTime64('2024-01-30 10:00:00', 0, 'UTC') AS whole,\n"
        "toDateTime64('1969-12-31 23:59:59.25', 6, 'UTC') AS early,\n"
        "CAST(NULL, 'Nullable(DateTime64(3, \\'UTC\\'))') AS never, 'line\\nbreak' AS text"
    )
    api.start()
    assert api.rows("/api/kinds") == [
        {
            "big": "18446744073709551615", "bigs": ["-1"], "nothing": None, "all": None,
            "dec": "1.5", "maybe": "7", "m": {"k": "1"}, "day": "2024-01-30", "yes": True,
            "pair": {"n": "1", "at": "2024-01-30T09:00:00.000000Z"},
            "fine": "2024-01-30T10:00:00.123456789Z", "seven": "2024-01-30T01:00:00.1234567Z",
            "milli": "2024-01-30T10:00:00.007000Z", "whole": "2024-01-30T10:00:00.000000Z",
            "early": "1969-12-31T23:59:59.250000Z", "never": None, "text": "line\nbreak",
        }
    ]  # fmt: skip
    paths = api.get("/openapi.json").json()["paths"]
    envelope = paths["/api/kinds"]["get"]["responses"]["200"]["content"]["application/json"]
    row = envelope["schema"]["properties"]["data"]["items"]["properties"]
    assert row["never"] == {"type": ["string", "null"], "format": "date-time"}
    assert row["pair"]["properties"]["n"]["type"] == "string"
