"""Pages by cursor: complete, in order, and stable while rows arrive."""

import threading
from collections.abc import Callable, Iterator

import pytest
from clickhouse_connect.driver.client import Client

from api.contract import cursors
from lib.errors import SqlFileError
from tests.api.query_runner import QueryRunner
from tests.api.sql_texts import FILL
from tests.api.support import Api, insert, migrated, walk
from tests.conftest import Server


@pytest.fixture
def arriving(server: Server, tables: Client) -> Iterator[None]:
    """Newer ticks, and late older ones, keep arriving."""
    client, ended = migrated(server), threading.Event()

    def arrive() -> None:
        number = 0
        while not ended.wait(0.05):
            number += 1
            late = [("LATE", 1.0, 1, 5.0001 - number / 1e6, 20_000_000 + number)]
            insert(client, [("NEW", 1.0, 1, 86400 + number, 10_000_000 + number), *late])

    thread = threading.Thread(target=arrive)
    thread.start()
    yield
    ended.set()
    thread.join()
    client.close()


def test_paging_through_100_000_rows_sees_each_once_while_more_arrive(
    api: Api, tables: Client, arriving: None
) -> None:
    tables.command(FILL.format(count=100_000))
    seen = [
        (row["symbol"], row["kafka_partition"], row["kafka_offset"])
        for page in walk(api, "/api/recent", limit=7001)
        for row in page
    ]
    assert len(seen) == len({*seen})
    assert sum(str(symbol).startswith("S") for symbol, _, _ in seen) == 100_000


def test_pages_join_within_equal_timestamps(api: Api, tables: Client) -> None:
    tables.command(FILL.format(count=103))
    whole = api.rows("/api/recent")
    assert len(whole) == 100
    for size in (1, 7, 10, 102, 103):
        pages = list(walk(api, "/api/recent", limit=size))
        assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
        assert [row for page in pages for row in page][:100] == whole
        assert sum(map(len, pages)) == 103
        assert pages[-1] != []


def test_columns_in_two_directions_order_pages(
    make_api: Callable[..., Api], tables: Client
) -> None:
    api = make_api()
    (api.sql / "mixed.sql").write_text(
        "-- One row per tick.\n-- @page symbol, kafka_offset desc, kafka_partition\n"
        "-- @param limit = 3 [1..50]: Rows.\n"
        "SELECT symbol, kafka_offset, kafka_partition FROM stocks.ticks"
    )
    api.start()
    tables.command(FILL.format(count=500))
    rows = [row for page in walk(api, "/api/mixed", limit=47) for row in page]
    keys = [(r["symbol"], -int(str(r["kafka_offset"])), r["kafka_partition"]) for r in rows]
    assert keys == sorted(keys)
    assert len({*keys}) == 500
    assert len(api.rows("/api/mixed")) == 3


def test_a_cursor_of_another_endpoint_is_refused(api: Api, tables: Client) -> None:
    tables.command(FILL.format(count=103))
    cursor = api.get("/api/recent?limit=1").json()["next"]
    for wrong in (cursor[:-4], cursor[::-1], "W10", "e30", "WzEsMiwzLDRd"):
        assert api.get("/api/recent", params={"cursor": wrong}).status_code == 400
    answer = api.get("/api/candles", params={"symbols": "S1", "cursor": cursor})
    assert answer.json()["parameter"] == "cursor"


HEAD = "-- One row.\n"
# A type, and 40 distinct values of it in ClickHouse's order.
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
def test_pages_by_any_type_of_column_are_exact(runner: QueryRunner, kind: str, order: str) -> None:
    literal = kind.replace("'", "\\'")
    sql = f"SELECT number, CAST({PAGED[kind]}, '{literal}') AS k FROM numbers(40)"
    text = f"-- One row per number.\n-- @page k{order}\n{sql} ORDER BY cityHash64(number)"
    pages = runner.pages(text, 7)
    assert [len(page) for page in pages] == [7, 7, 7, 7, 7, 5]
    numbers = [int(row["number"]) for page in pages for row in page]
    assert numbers == sorted(range(40), reverse=bool(order))


@pytest.mark.parametrize("order", ["", " desc"])
def test_pages_by_an_enum_follow_its_numbers(runner: QueryRunner, order: str) -> None:
    kind = "Enum16('z}' = -5, 'a\\'b' = 1, 'm' = 300)".replace("\\", "\\\\").replace("'", "\\'")
    text = (
        f"-- One row per number.\n-- @page e{order}, number\nSELECT number,"
        f" CAST([-5, 1, 300][number % 3 + 1], '{kind}') AS e FROM numbers(9)"
    )
    members = [row["e"] for page in runner.pages(text, 2) for row in page]
    right = ["z}"] * 3 + ["a'b"] * 3 + ["m"] * 3
    assert members == (right[::-1] if order else right)


@pytest.mark.parametrize("order", ["", " desc"])
def test_pages_by_a_float_end_with_nan_and_infinity(runner: QueryRunner, order: str) -> None:
    values = "[-0., 0., nan, inf, -inf, 1e300, 1e-320, 0.1, -1.5, 1e22]"
    text = (
        f"-- One row per number.\n-- @page x{order}, number\nSELECT number,"
        f" {values}[number % 10 + 1] AS x FROM numbers(50)"
    )
    pages = runner.pages(text, 3)
    values_of_x = [row["x"] for page in pages for row in page]
    finite = [x for x in values_of_x if x is not None]
    assert finite == sorted(finite, reverse=bool(order))
    assert values_of_x == finite + [None] * 15
    assert len({row["number"] for page in pages for row in page}) == 50


def test_where_a_page_ended_is_not_read_from_a_float(runner: QueryRunner) -> None:
    sql = "SELECT number / 2 AS x FROM numbers(9) WHERE {after:Nullable(Float64)} IS NULL"
    with pytest.raises(SqlFileError, match="NaN is NULL there"):
        runner.query(f"{HEAD}-- @page x\n{sql}")


def test_a_cursor_with_another_value_is_named(api: Api, tables: Client) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    keys = cursors.keys("candles", "start desc, symbol")
    forged = cursors.encode("candles", keys, {"start": "noon", "symbol": "A"})
    answer = api.get("/api/candles", params={"symbols": "A", "cursor": forged})
    assert (answer.status_code, answer.json()["parameter"]) == (400, "cursor")


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
def test_a_column_without_an_order_is_refused(runner: QueryRunner, sql: str, fact: str) -> None:
    with pytest.raises(SqlFileError, match="@page k: ") as caught:
        runner.query(f"{HEAD}-- @page k\nSELECT {sql} AS k")
    assert fact in str(caught.value)
