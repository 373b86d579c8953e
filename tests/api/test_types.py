"""Columns of every type: what JSON holds of them, which types Arrow and Parquet have, how they
order pages."""

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clickhouse_connect.driver.client import Client

from api.http import schemas
from api.query import json_columns
from lib.clickhouse_types import parse
from lib.errors import SqlFileError
from tests.api.asking import Asking
from tests.api.support import insert

HEAD = "-- One row.\n"
BIG = 9007199254740993


def rows(asking: Asking, *columns: str) -> dict[str, Any]:
    (row,) = asking.rows(f"{HEAD}SELECT {', '.join(columns)}")
    return row


def test_an_aggregated_column_travels_as_its_values_do(asking: Asking, tables: Client) -> None:
    insert(tables, [("A", 100.0, 2, 60.5, 7)])
    sql = f"{HEAD}SELECT last, [last] AS list, map('k', last) AS named FROM stocks.latest"
    (row,) = asking.rows(sql)
    last = {
        "timestamp": "2024-01-30T00:01:00.500000Z", "kafka_offset": "7", "price": 100, "volume": 2,
    }  # fmt: skip
    assert {name: row["last"][name] for name in last} == last
    assert (row["list"], row["named"]) == ([row["last"]], {"k": row["last"]})
    schema = asking.query(sql).columns["last"]
    assert schemas.schema(schema)["properties"]["timestamp"]["format"] == "date-time"
    table = pa.ipc.open_stream(asking.answer(sql, "format=arrow")).read_all()
    moment = table.schema.field("last").type.field("timestamp").type
    assert moment == pa.timestamp("us", tz="UTC")


def test_a_column_may_have_any_name(asking: Asking) -> None:
    text = (
        f"{HEAD}-- @page id, file\nSELECT number AS id, toUInt64(1) AS `high/low`,"
        " toInt64(2) AS file, toDateTime(0) AS url, 'x' AS `a\\`b\\\\`,"
        " toInt64(3) AS `a, b` FROM numbers(3)"
    )
    row = {
        "high/low": "1", "file": "2", "url": "1970-01-01T00:00:00.000000Z", "a`b\\": "x",
        "a, b": "3",
    }  # fmt: skip
    pages = asking.pages(text, 2)
    assert [each for page in pages for each in page] == [{"id": str(n), **row} for n in range(3)]
    table = pa.ipc.open_stream(asking.answer(text, "format=arrow")).read_all()
    assert {*table.column_names} == {"id", *row}
    header = asking.answer(text, "format=csv").splitlines()[0]
    assert header == b'"id","high/low","file","url","a`b\\","a, b"'


def test_a_variant_a_nested_and_an_interval_hold_64_bits_as_text(asking: Asking) -> None:
    variant = "Variant(UInt64, Bool, String, Array(Int64), DateTime64(3, \\'UTC\\'))"
    values = [f"{BIG}::UInt64", "'x'", "[-1::Int64]", "true", "toDateTime64(1.5, 3, 'UTC')"]
    found = rows(
        asking,
        *(f"CAST({value}, '{variant}') AS v{n}" for n, value in enumerate(values)),
        f"CAST(NULL, '{variant}') AS never",
        f"CAST([({BIG}, 'x')], 'Nested(n UInt64, `a b` String)') AS nested",
        "INTERVAL 3 DAY AS days",
        f"CAST(tuple({BIG}), 'Nullable(Tuple(n UInt64))') AS pair",
        "CAST(NULL, 'Nullable(Tuple(n UInt64))') AS no_pair",
        "map(toDateTime('2024-01-30 10:00:00', 'Asia/Tokyo'), 1) AS by_moment",
        "[[toUInt64(1)], []] AS lists",
    )
    assert found == {
        "v0": str(BIG), "v1": "x", "v2": ["-1"], "v3": True, "v4": "1970-01-01T00:00:01.500000Z",
        "never": None, "nested": [{"n": str(BIG), "a b": "x"}], "days": "3",
        "pair": {"n": str(BIG)}, "no_pair": None, "lists": [["1"], []],
        "by_moment": {"2024-01-30T01:00:00.000000Z": 1},
    }  # fmt: skip


DOCUMENT = (
    '{"id": 9007199254740993, "u": 18446744073709551615, "f": 1.5, "yes": true, "t": "17 and 5, 6",'
    ' "q": "a \\\\"5\\\\" b", "deep": {"list": [1, [2, "3"], {"n": -4}]}}'
)
READ = {
    "id": "9007199254740993", "u": "18446744073709551615", "f": 1.5, "yes": True,
    "t": "17 and 5, 6", "q": 'a "5" b', "deep": {"list": ["1", ["2", "3"], {"n": "-4"}]},
}  # fmt: skip
# A text that looks like a time stays as it is.
LATE = '{"at": "2024-01-30T10:00:00Z", "n": 5}'
DOCUMENTS = f"""{HEAD}SELECT '{DOCUMENT}'::JSON AS json, {BIG}::Int64::Dynamic AS dynamic,
['{LATE}'::JSON(at String, n UInt8)] AS list, CAST(NULL, 'Dynamic') AS nothing,
CAST(NULL, 'Nullable(JSON)') AS never, map('k', [1::UInt64::Dynamic, NULL]) AS named,
'a/b' AS text, toUInt64(5) AS n"""


def test_whole_numbers_of_a_json_or_dynamic_column_are_texts(asking: Asking) -> None:
    right = {
        "json": READ, "dynamic": str(BIG), "list": [{"at": "2024-01-30T10:00:00Z", "n": "5"}],
        "nothing": None, "never": None, "named": {"k": ["1", None]}, "text": "a/b", "n": "5",
    }  # fmt: skip
    assert asking.rows(DOCUMENTS) == [right]
    line = asking.answer(DOCUMENTS, "format=ndjson")
    assert (json.loads(line), line.count(b"\n")) == (right, 1)
    table = pq.read_table(io.BytesIO(asking.answer(DOCUMENTS, "format=parquet")))
    assert json.loads(table.column("json")[0].as_py())["id"] == BIG


def test_a_long_answer_with_documents_is_whole(asking: Asking) -> None:
    sql = (
        "-- One row per number.\n-- @page number\n-- @param limit = 30000 [1..30000]: Rows.\n"
        "SELECT number, CAST(concat('{\"n\": ', toString(number), '}'), 'JSON') AS j,"
        " repeat('x', 50) AS text FROM numbers(40000)"
    )
    found = msgspec.json.decode(asking.answer(sql))
    assert [row["j"] for row in found["data"]] == [{"n": str(n)} for n in range(30_000)]
    assert found["next"]


def test_a_document_is_embedded_as_it_stands() -> None:
    text = r'{"a":[1,-2,1.5,1e5,"3",true,null],"b":{"4":5},"c":"\\",  "d":6}'
    line = msgspec.json.encode({"n": 1, "j": text, "k": None})
    right = rb'{"a":["1","-2",1.5,1e5,"3",true,null],"b":{"4":"5"},"c":"\\",  "d":"6"}'
    assert json_columns.embedded(line + b"\n", ("j", "k")) == b'{"n":1,"j":%b,"k":null}\n' % right


def test_bytes_that_are_not_utf_8_stay_in_a_document(asking: Asking) -> None:
    row = asking.answer(f"{HEAD}SELECT 'a\\xff'::Dynamic AS d, 'b\\xfe' AS s")
    assert row == b'{"data":[{"d":"a\xff","s":"b\xfe"}],"next":null}'


ARROW = {
    "toDateTime('2024-01-30 10:00:00', 'Europe/Berlin')": datetime(2024, 1, 30, 9, tzinfo=UTC),
    "toNullable(toDateTime('2024-01-30 10:00:00', 'UTC'))": datetime(2024, 1, 30, 10, tzinfo=UTC),
    "toDateTime64('2024-01-30 10:00:00.5', 3, 'Asia/Tokyo')":
        datetime(2024, 1, 30, 1, 0, 0, 500_000, tzinfo=UTC),
    "CAST('b', 'Enum8(\\'a\\' = 1, \\'b\\' = 2)')": "b",
    "toIPv4('1.2.3.4')": "1.2.3.4",
    "toIPv6('::1')": "::1",
    "toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')": "61f0c404-5cb3-11e7-907b-a6006ad3dba0",
    "toInt256('-5')": "-5",
    "toUInt64(18446744073709551615)": 18446744073709551615,
    "toDecimal64('1.50', 2)": Decimal("1.50"),
    "toDate('2024-01-30')": date(2024, 1, 30),
    "CAST('10:00:00.5', 'Time64(3)')": "10:00:00.500",
    "INTERVAL 3 DAY": 3,
    "toBFloat16(1.5)": 1.5,
    "CAST((1, 2), 'Point')": {"1": 1, "2": 2},
    "CAST([[(1, 2)]], 'MultiLineString')": [[{"1": 1, "2": 2}]],
    "NULL": None,
    "CAST('x', 'Variant(String, UInt64)')": '"x"',
    "5::UInt8::Dynamic": "5",
    "'{\"a\": 5}'::JSON": '{"a":5}',
    "[toIPv4('1.2.3.4')]": ["1.2.3.4"],
    "map(toIPv4('1.2.3.4'), toDateTime(0, 'UTC'))": [("1.2.3.4", datetime(1970, 1, 1, tzinfo=UTC))],
    "CAST(tuple('a', 1), 'Tuple(`e 1` Enum8(\\'a\\' = 1), n UInt8)')": {"e 1": "a", "n": 1},
    "CAST([tuple('::1')], 'Nested(ip IPv6)')": [{"ip": "::1"}],
}  # fmt: skip


@pytest.mark.parametrize("fmt", ["arrow", "parquet"])
def test_arrow_and_parquet_have_real_types(asking: Asking, fmt: str) -> None:
    columns = [f"{sql} AS c{number}" for number, sql in enumerate(ARROW)]
    answer = asking.answer(f"{HEAD}SELECT {', '.join(columns)}", f"format={fmt}")
    stream = io.BytesIO(answer)
    table = pa.ipc.open_stream(stream).read_all() if fmt == "arrow" else pq.read_table(stream)
    for number, (sql, right) in enumerate(ARROW.items()):
        column = table.column(f"c{number}")
        assert column[0].as_py() == right, sql
        if isinstance(right, datetime):
            assert (pa.types.is_timestamp(column.type), column.type.tz) == (True, "UTC"), sql
        if isinstance(right, str):
            assert not pa.types.is_integer(column.type), sql


# A type, and 40 different values of it in the order in which ClickHouse has them.
PAGED = {
    "DateTime64(9, 'Asia/Tokyo')": "fromUnixTimestamp64Nano(toInt64(1706608800123456700 + number))",
    "DateTime64(7, 'UTC')":
        "toDateTime64('1969-12-31 23:59:59.999999', 7, 'UTC') + toIntervalNanosecond(100 * number)",
    "DateTime64(3)": "fromUnixTimestamp64Milli(toInt64(1706608800123 + number))",
    "DateTime('Europe/Berlin')": "toDateTime(1711846800 + 600 * number)",
    "Date32": "toDate32('1900-01-01') + number",
    "Decimal(76, 30)": "toDecimal256(number, 30) - 20 + toDecimal256('1e-30', 30)",
    "Decimal(9, 2)": "toDecimal32(number, 2) / 8",
    "Int128": "toInt128('-170141183460469231731687303715884105728') + number",
    "UInt256": "toUInt256(number) + toUInt256('1157920892373161954235709850086879078532')",
    "UInt64": "18446744073709551000 + number",
    "IPv4": "toIPv4('127.255.255.240') + number",
    "IPv6": "toIPv6('2001:db8::' || hex(number + 1))",
    "UUID": "toUUID('61f0c404-5cb3-11e7-907b-a6006ad3db' || lower(hex(toUInt8(number))))",
    "FixedString(3)": "toFixedString(char(97 + number, 0, 98), 3)",
    "LowCardinality(String)": "char(37 + number, 92, 39)",
    "Float64": "exp2(number) / 3 - 100",
    "Float32": "toFloat32(number) / 10 - 2",
}  # fmt: skip


@pytest.mark.parametrize("kind", PAGED)
@pytest.mark.parametrize("order", ["", " desc"])
def test_pages_by_a_column_of_this_type_are_exact(asking: Asking, kind: str, order: str) -> None:
    literal = kind.replace("'", "\\'")
    sql = f"SELECT number, CAST({PAGED[kind]}, '{literal}') AS k FROM numbers(40)"
    text = f"-- One row per number.\n-- @page k{order}\n{sql} ORDER BY cityHash64(number)"
    pages = asking.pages(text, 7)
    assert [len(page) for page in pages] == [7, 7, 7, 7, 7, 5]
    numbers = [int(row["number"]) for page in pages for row in page]
    assert numbers == sorted(range(40), reverse=bool(order))


@pytest.mark.parametrize("order", ["", " desc"])
def test_pages_by_an_enum_go_by_its_numbers(asking: Asking, order: str) -> None:
    kind = "Enum16('z}' = -5, 'a\\'b' = 1, 'm' = 300)".replace("\\", "\\\\").replace("'", "\\'")
    text = (
        f"-- One row per number.\n-- @page e{order}, number\nSELECT number,"
        f" CAST([-5, 1, 300][number % 3 + 1], '{kind}') AS e FROM numbers(9)"
    )
    found = [row["e"] for page in asking.pages(text, 2) for row in page]
    right = ["z}"] * 3 + ["a'b"] * 3 + ["m"] * 3
    assert found == (right[::-1] if order else right)


@pytest.mark.parametrize("order", ["", " desc"])
def test_pages_by_a_float_end_with_what_is_no_number(asking: Asking, order: str) -> None:
    values = "[-0., 0., nan, inf, -inf, 1e300, 1e-320, 0.1, -1.5, 1e22]"
    text = (
        f"-- One row per number.\n-- @page x{order}, number\nSELECT number,"
        f" {values}[number % 10 + 1] AS x FROM numbers(50)"
    )
    pages = asking.pages(text, 3)
    found = [row["x"] for page in pages for row in page]
    finite = [x for x in found if x is not None]
    assert finite == sorted(finite, reverse=bool(order))
    assert found == finite + [None] * 15
    assert len({row["number"] for page in pages for row in page}) == 50


@pytest.mark.parametrize(
    ("sql", "fact"),
    [
        ("toNullable(1)", "may be NULL"),
        ("[1]", "is Array(UInt8), which no cursor can hold"),
        ("tuple(1)", "which no cursor can hold"),
        ("5::Dynamic", "is Dynamic, which no cursor can hold"),
        ("INTERVAL 1 DAY", "is IntervalDay"),
    ],
)
def test_a_column_that_cannot_order_pages_is_refused(asking: Asking, sql: str, fact: str) -> None:
    with pytest.raises(SqlFileError, match="@page k: ") as caught:
        asking.query(f"{HEAD}-- @page k\nSELECT {sql} AS k")
    assert fact in str(caught.value)


def test_a_state_of_an_aggregation_is_refused(asking: Asking) -> None:
    with pytest.raises(SqlFileError, match="s: a state of an aggregation"):
        asking.query(f"{HEAD}SELECT sumState(1) AS s")


def test_schemas_say_what_a_row_holds() -> None:
    for kind, right in {
        "SimpleAggregateFunction(sum, UInt64)": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"},
        "JSON": {"type": "object"},
        "Dynamic": {},
        "Variant(Bool, String)": {
            "anyOf": [{"type": "boolean"}, {"type": "string"}, {"type": "null"}],
        },
        "Nested(a Bool)": {
            "type": "array",
            "items": {
                "type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"],
            },
        },
    }.items():  # fmt: skip
        assert schemas.schema(parse(kind)) == right
