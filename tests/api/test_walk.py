"""Cursors, streams of rows, and a ClickHouse that comes and goes."""

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest
from clickhouse_connect.driver.client import Client

from tests.api.support import Api, insert, migrated
from tests.conftest import Server, wait_until

FILL = (
    "INSERT INTO stocks.ticks (symbol, price, volume, timestamp, kafka_partition, kafka_offset,"
    " kafka_timestamp, inserted_by) SELECT 'S' || toString(number % 50), 1, 1,"
    # Ten ticks share each moment, so that pages end in the middle of one.
    " toDateTime64('2024-01-30 00:00:00', 6, 'UTC') + toIntervalMillisecond(intDiv(number, 10)),"
    " number % 4, intDiv(number, 4), now64(3), 'test' FROM numbers({count})"
)


def walk(api: Api, path: str, **params: object) -> Iterator[list[dict[str, object]]]:
    """Each page, by its cursor."""
    cursor: dict[str, str] = {}
    while True:
        answer = api.get(path, params={**params, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page["data"]
        if page["next"] is None:
            return
        cursor = {"cursor": page["next"]}


@pytest.fixture
def arriving(server: Server, tables: Client) -> Iterator[None]:
    """Newer ticks, and older ones that come late, keep arriving."""
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


def test_a_walk_over_100_000_rows_sees_each_once_while_more_arrive(
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


def test_pages_join_where_moments_are_shared(api: Api, tables: Client) -> None:
    tables.command(FILL.format(count=103))
    whole = api.rows("/api/recent")
    assert len(whole) == 100
    for size in (1, 7, 10, 102, 103):
        pages = list(walk(api, "/api/recent", limit=size))
        assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
        assert [row for page in pages for row in page][:100] == whole
        assert sum(map(len, pages)) == 103
        assert pages[-1] != []


def test_columns_in_two_directions_page(make_api: Callable[..., Api], tables: Client) -> None:
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


def test_long_answers_are_streamed_and_memory_stays(api: Api, tables: Client) -> None:
    tables.command(FILL.format(count=1_000_000))
    api.get("/api/latest")
    before = api.memory()
    page = api.get("/api/recent?limit=100000").json()
    assert len(page["data"]) == 100_000
    assert page["next"] is not None
    lines = api.get("/api/recent?limit=100000&format=ndjson")
    assert lines.text.count("\n") == 100_000
    found = pq.read_table(io.BytesIO(api.get("/api/recent?limit=100000&format=parquet").content))
    assert found.num_rows == 100_000
    assert api.memory() - before < 50_000_000


def test_a_client_that_leaves_ends_its_query(make_api: Callable[..., Api], tables: Client) -> None:
    # Not as the reader, whose queries end by themselves after 10 s.
    api = make_api(clickhouse__reader_user="default")
    # It begins at once, and then takes ten minutes for what is left.
    (api.sql / "slow.sql").write_text(
        "-- One row per number.\nSELECT number, repeat('slow', 10) AS text,"
        " if(number < 400000, 0, sleepEachRow(0.00004)) AS zero FROM numbers(15400000)"
    )
    api.start()

    def runs() -> bool:
        # Not this one itself, which has the name in two pieces.
        named = "query LIKE concat('%sleep', 'EachRow%')"
        return tables.command(f"SELECT count() FROM system.processes WHERE {named}") != 0

    for fmt in ("json", "ndjson", "csv", "arrow"):
        address = f"http://127.0.0.1:{api.port}/api/slow?format={fmt}"
        with httpx.stream("GET", address, timeout=90) as answer:
            pieces = answer.iter_raw(1_000_000)
            assert all(next(pieces) for _ in range(2))
            assert runs(), fmt
        wait_until(lambda: not runs())


@pytest.fixture
def pair(mortal: Server, tmp_path: Path) -> Iterator[tuple[Server, Api]]:
    """A ClickHouse to kill, and an API that asks it."""
    client = migrated(mortal)
    insert(client, [("A", 1.0, 1, 0, 0)])
    client.close()
    api = Api(tmp_path / "api", mortal.settings)
    # Far more than what is on the way holds.
    long = "SELECT number, repeat('x', 1000) AS text FROM numbers(300000)"
    (api.sql / "long.sql").write_text(f"-- One row after the other.\n{long}")
    with api.running():
        yield mortal, api


def test_a_killed_clickhouse_is_503_and_its_return_is_noticed(pair: tuple[Server, Api]) -> None:
    server, api = pair
    ended = threading.Event()
    found: list[httpx.Response] = []

    def load() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{api.port}", timeout=90) as client:
            while not ended.is_set():
                found.append(client.get("/api/latest"))

    with ThreadPoolExecutor(4) as pool:
        loads = [pool.submit(load) for _ in range(4)]
        try:
            wait_until(lambda: len(found) > 8)
            server.kill()
            wait_until(lambda: api.get("/api/latest").status_code == 503)
            down = api.get("/health")
            assert (down.status_code, down.json()["clickhouse"]) == (503, "down")
            assert api.get("/openapi.json").status_code == 200
            server.start()
            wait_until(lambda: api.get("/api/latest").status_code == 200, 5)
            assert api.rows("/api/latest")[0]["symbol"] == "A"
        finally:
            ended.set()
        for one in loads:
            one.result()
    refused = [answer for answer in found if answer.status_code != 200]
    assert {answer.status_code for answer in refused} == {503}
    assert all(answer.headers["retry-after"] == "1" for answer in refused)
    assert "Traceback" not in api.said()


def test_a_long_answer_that_breaks_off_has_no_end(pair: tuple[Server, Api]) -> None:
    server, api = pair
    with api.client.stream("GET", "/api/long?format=ndjson") as answer:
        parts = answer.iter_raw(1000)
        next(parts)
        server.kill()
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in parts:
                pass
    assert api.get("/api/latest").status_code == 503
    assert "Traceback" not in api.said()


def test_an_answer_that_takes_too_long_is_504(make_api: Callable[..., Api]) -> None:
    api = make_api(api__timeout=1)
    # ClickHouse itself gives up after 10 s.
    slow = "SELECT sum(sleepEachRow(0.00004)) AS zero FROM numbers(1500000)"
    (api.sql / "slow.sql").write_text(f"-- One row, too late.\n{slow}")
    api.start()
    answer = api.get("/api/slow")
    # That the API itself gives up: the reader's own limit says it otherwise.
    detail = "ClickHouse has no answer in time; ask for less."
    assert (answer.status_code, answer.json()["detail"]) == (504, detail)


def test_a_query_that_fails_shows_no_sql(make_api: Callable[..., Api]) -> None:
    api = make_api()
    (api.sql / "broken.sql").write_text(
        "-- One row, never.\nSELECT throwIf(number = 0, 'secret') AS zero FROM numbers(1)"
    )
    # ClickHouse has begun to answer when it finds out.
    (api.sql / "late.sql").write_text(
        "-- One row of many.\nSELECT throwIf(number = 150000, 'secret') AS z FROM numbers(200000)"
    )
    api.start()
    for name in ("broken", "late"):
        answer = api.get(f"/api/{name}")
        assert (answer.status_code, "secret" in answer.text) == (500, False)
    assert "broken.sql" in api.said()
    assert "Traceback" not in api.said()
