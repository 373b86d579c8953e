"""What each endpoint of the repository answers, from a real ClickHouse."""

import math

import pytest
from clickhouse_connect.driver.client import Client

from tests.api.support import Api, insert, walk
from tests.conftest import ROOT

ENDPOINTS = [
    "latest", "recent", "stats", "symbols", "history?symbols=A", "candles?symbols=A",
    "pipeline", "job_runs", "dead_letters", "dead_letter_reasons",
]  # fmt: skip


@pytest.mark.parametrize("path", ENDPOINTS)
def test_empty_tables_answer_an_empty_list(api: Api, tables: Client, path: str) -> None:
    assert api.get(f"/api/{path}").json() == {"data": [], "next": None}


@pytest.mark.parametrize(
    "path", ["latest", "recent", "stats", "history", "candles"],
)  # fmt: skip
def test_an_unknown_symbol_is_an_empty_list_and_a_malformed_one_an_error(
    api: Api, tables: Client, path: str
) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    assert api.rows(f"/api/{path}", symbols="NONE") == []
    refused = api.get(f"/api/{path}", params={"symbols": "no;thing"})
    assert (refused.status_code, refused.json()["parameter"]) == (400, "symbols")


def test_latest_is_the_newest_tick_and_the_change_since_the_days_first(
    api: Api, tables: Client
) -> None:
    insert(tables, [
        ("A", 50.0, 1, -60, 0), ("A", 100.0, 2, 60, 1), ("A", 90.0, 3, 120, 2),
        # Of equal timestamps, the higher offset is the newer tick.
        ("A", 110.0, 5, 180, 4), ("A", 105.0, 4, 180, 3),
        ("B", 7.0, 1, 5, 5),
    ])  # fmt: skip
    assert api.rows("/api/latest") == [
        {
            "symbol": "A", "price": 110, "volume": 5, "change": 10, "change_percent": 10,
            "open": 100, "low": 90, "high": 110,
            "timestamp": "2024-01-30T00:03:00.000000Z",
        },
        {
            "symbol": "B", "price": 7, "volume": 1, "change": 0, "change_percent": 0,
            "open": 7, "low": 7, "high": 7,
            "timestamp": "2024-01-30T00:00:05.000000Z",
        },
    ]  # fmt: skip
    assert [row["symbol"] for row in api.rows("/api/latest", symbols="B,NONE")] == ["B"]


def test_latest_does_not_depend_on_the_batches_of_ticks(api: Api, tables: Client) -> None:
    first, last = ("A", 100.0, 2, 60, 1), ("A", 110.0, 5, 180, 4)
    late, yesterday = ("A", 120.0, 9, 90, 5), ("A", 500.0, 1, -60, 6)
    for tick in (last, first, late, yesterday, last):
        insert(tables, [tick])
    (row,) = api.rows("/api/latest")
    assert (row["price"], row["volume"], row["open"]) == (110, 5, 100)
    assert (row["low"], row["high"], row["change"]) == (100, 120, 10)


def test_an_insert_of_few_rows_makes_few_files(tables: Client) -> None:
    insert(tables, [("A", 100.0, 2, 60, 1), ("B", 7.0, 1, 5, 5)])
    parts = tables.query(
        "SELECT table, groupUniqArray(part_storage_type) FROM system.parts"
        " WHERE active AND database = 'stocks' AND table IN ('ticks', 'latest') GROUP BY table"
    ).result_rows
    assert dict(parts) == {"ticks": ["Packed"], "latest": ["Packed"]}


def test_the_statement_of_its_view_makes_latest_whole(api: Api, tables: Client) -> None:
    """docs/operating.md gives it as the remedy for missing rows."""
    insert(tables, [("A", 100.0, 2, 60, 1), ("A", 90.0, 3, 120, 2), ("B", 7.0, 1, 5, 5)])
    before = api.rows("/api/latest")
    tables.command("TRUNCATE TABLE stocks.latest")
    assert api.rows("/api/latest") == []
    view = (ROOT / "sql" / "clickhouse" / "003_view_latest_of_ticks.sql").read_text()
    query = view.split(" AS\n", 1)[1]
    tables.command(f"INSERT INTO stocks.latest {query}")
    assert api.rows("/api/latest") == before


def test_history_keeps_the_peaks_and_the_ends(api: Api, tables: Client) -> None:
    prices = [100 + math.sin(n / 50) for n in range(5000)]
    prices[1234], prices[4321] = 500.0, 1.0
    insert(tables, [("A", price, 1, n, n) for n, price in enumerate(prices)])
    rows = api.rows("/api/history", symbols="A", points=40)
    shown = [row["price"] for row in rows]
    assert 20 < len(rows) <= 40
    assert {500.0, 1.0, prices[0], prices[-1]} <= {*shown}
    assert [row["timestamp"] for row in rows] == sorted(row["timestamp"] for row in rows)


def test_each_symbol_of_a_history_has_its_own_slices(api: Api, tables: Client) -> None:
    insert(tables, [("OLD", 1.0 + n % 7, 1, n, n) for n in range(5000)])
    insert(tables, [("YOUNG", 1.0 + n % 7, 1, 4000 + n / 10, 10_000 + n) for n in range(500)])
    rows = api.rows("/api/history", symbols="OLD,YOUNG", points=100)
    for symbol in ("OLD", "YOUNG"):
        assert 50 < len([row for row in rows if row["symbol"] == symbol]) <= 100


def test_history_of_a_span(api: Api, tables: Client) -> None:
    insert(tables, [(symbol, n, 1, n, n) for n in range(1, 20) for symbol in ("A", "B")])
    # A span includes its beginning and not its end.
    span = {"from": "2024-01-30T00:00:05Z", "to": "2024-01-30T00:00:07Z"}
    rows = api.rows("/api/history", symbols="B,A", **span)
    assert [(row["symbol"], row["price"]) for row in rows] == [
        ("A", 5), ("A", 6), ("B", 5), ("B", 6),
    ]  # fmt: skip
    stats = api.rows("/api/stats", symbols="A", **span)
    assert [(row["ticks"], row["max_price"]) for row in stats] == [("2", 6)]
    assert api.rows("/api/history", symbols="A", **{"from": span["to"], "to": span["from"]}) == []


def test_recent_is_newest_first_and_a_tick_stored_twice_is_one(api: Api, tables: Client) -> None:
    for _ in range(2):
        insert(tables, [("A", 1.5, 7, 1.000001, 0), ("B", 2.5, 8, 2, 1)])
    assert api.rows("/api/recent") == [
        {
            "symbol": "B", "price": 2.5, "volume": 8, "timestamp": "2024-01-30T00:00:02.000000Z",
            "kafka_partition": 0, "kafka_offset": "1",
        },
        {
            "symbol": "A", "price": 1.5, "volume": 7, "timestamp": "2024-01-30T00:00:01.000001Z",
            "kafka_partition": 0, "kafka_offset": "0",
        },
    ]  # fmt: skip
    assert len(api.rows("/api/recent", **{"from": "2024-01-30T00:00:02Z"})) == 1
    assert len(api.rows("/api/recent", to="2024-01-30T01:00:02+01:00")) == 1


def test_candles_open_and_close_by_time_and_then_by_offset(api: Api, tables: Client) -> None:
    insert(tables, [
        ("A", 3.0, 10, 30, 9), ("A", 1.0, 10, 0, 8), ("A", 2.0, 20, 0, 7), ("A", 9.0, 0, 59, 6),
        ("A", 4.0, 5, 60, 5),
    ])  # fmt: skip
    newest, first = api.rows("/api/candles", symbols="A")
    assert first == {
        "symbol": "A", "start": "2024-01-30T00:00:00.000000Z",
        "open": 2, "high": 9, "low": 1, "close": 9,
        "volume": "40", "trades": "4", "vwap": (10 * 3 + 10 * 1 + 20 * 2) / 40,
    }  # fmt: skip
    assert (newest["start"], newest["close"]) == ("2024-01-30T00:01:00.000000Z", 4)
    insert(tables, [("A", 6.0, 5, 61, 4)])
    assert api.rows("/api/candles", symbols="A")[0]["close"] == 6


@pytest.mark.parametrize("interval", ["1s", "15s", "1d"])
@pytest.mark.parametrize("start", [0, -2_500_000_000])
def test_pages_of_candles_are_those_of_one_page(
    api: Api, tables: Client, interval: str, start: int
) -> None:
    # In 1970 the numbers of the moments change their sign. Of some moments one symbol has a tick.
    ticks = [
        (symbol, 1.0 + n, n, start - 1_706_572_800 * (start == 0) + (n - 20) * 7.25, n)
        for n in range(40)
        for symbol in ("A", "B", "C")[: 1 + n % 3]
    ]
    for _ in range(2):
        insert(tables, ticks)
    asked = {"symbols": "A,B,C", "interval": interval}
    whole = api.rows("/api/candles", **asked, limit=1000)
    assert sum(int(row["trades"]) for row in whole) == len(ticks)
    for size in (1, 2, 3, 10, len(whole)):
        pages = list(walk(api, "/api/candles", **asked, limit=size))
        assert [row for page in pages for row in page] == whole
        assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
    middle = whole[len(whole) // 2]["start"]
    older = list(walk(api, "/api/candles", **asked, to=middle, limit=2))
    newer = list(walk(api, "/api/candles", **asked, limit=2, **{"from": middle}))
    assert [row for page in [*newer, *older] for row in page] == whole


@pytest.mark.parametrize(("interval", "count"), [("1s", 4), ("1m", 3), ("1h", 2), ("1d", 2)])
def test_candles_of_each_interval(api: Api, tables: Client, interval: str, count: int) -> None:
    insert(tables, [("A", 1.0, 1, seconds, n) for n, seconds in enumerate([-1, 0, 1, 60])])
    rows = api.rows("/api/candles", symbols="A", interval=interval)
    assert len(rows) == count
    assert sum(int(row["trades"]) for row in rows) == 4


def test_stats(api: Api, tables: Client) -> None:
    insert(tables, [("A", 10.0, 1, 0, 0), ("A", 20.0, 3, 1, 1), ("B", 5.0, 0, 2, 2)])
    a, b = api.rows("/api/stats")
    assert a == {
        "symbol": "A", "ticks": "2", "min_price": 10, "max_price": 20, "mean_price": 15,
        "price_deviation": pytest.approx(math.sqrt(50)), "vwap": 17.5, "volume": "4",
    }  # fmt: skip
    # One tick without volume has neither: null, not NaN.
    assert (b["price_deviation"], b["vwap"]) == (None, None)


def test_symbols(api: Api, tables: Client) -> None:
    insert(tables, [("A", 10.0, 1, 0, 0), ("A", 20.0, 3, 1, 1)])
    assert api.rows("/api/symbols") == [
        {
            "symbol": "A", "ticks": "2",
            "first_tick": "2024-01-30T00:00:00.000000Z",
            "last_tick": "2024-01-30T00:00:01.000000Z",
        }
    ]  # fmt: skip
