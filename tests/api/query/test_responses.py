"""Long answers: streamed, cancelled, and broken off."""

import io
from collections.abc import Callable

import httpx
import pyarrow.parquet as pq
import pytest
from clickhouse_connect.driver.client import Client

from tests.api.sql_texts import FILL
from tests.api.support import Api
from tests.conftest import Server, wait_until


def test_long_answers_are_streamed_in_constant_memory(api: Api, tables: Client) -> None:
    tables.command(FILL.format(count=1_000_000))
    api.get("/api/latest")
    before = api.memory()
    page = api.get("/api/recent?limit=100000").json()
    assert len(page["data"]) == 100_000
    assert page["next"] is not None
    lines = api.get("/api/recent?limit=100000&format=ndjson")
    assert lines.text.count("\n") == 100_000
    table = pq.read_table(io.BytesIO(api.get("/api/recent?limit=100000&format=parquet").content))
    assert table.num_rows == 100_000
    assert api.memory() - before < 50_000_000


def test_a_client_that_disconnects_cancels_its_query(
    make_api: Callable[..., Api], tables: Client
) -> None:
    # Not as the reader, whose queries are limited to 10 s.
    api = make_api(clickhouse__reader_user="default")
    # The first rows arrive at once, the rest takes ten minutes.
    (api.sql / "slow.sql").write_text(
        "-- One row per number.\nSELECT number, repeat('slow', 10) AS text,"
        " if(number < 400000, 0, sleepEachRow(0.00004)) AS zero FROM numbers(15400000)"
    )
    api.start()

    def runs() -> bool:
        # In two pieces, so that this query does not find itself.
        named = "query LIKE concat('%sleep', 'EachRow%')"
        return tables.command(f"SELECT count() FROM system.processes WHERE {named}") != 0

    for fmt in ("json", "ndjson", "csv", "arrow"):
        address = f"http://127.0.0.1:{api.port}/api/slow?format={fmt}"
        with httpx.stream("GET", address, timeout=90) as answer:
            pieces = answer.iter_raw(1_000_000)
            assert all(next(pieces) for _ in range(2))
            assert runs(), fmt
        wait_until(lambda: not runs())


def test_a_long_answer_that_breaks_off_has_no_final_chunk(pair: tuple[Server, Api]) -> None:
    server, api = pair
    with api.client.stream("GET", "/api/long?format=ndjson") as answer:
        parts = answer.iter_raw(1000)
        next(parts)
        server.kill()
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in parts:
                pass
    assert api.get("/api/latest").status_code == 503
    assert "Traceback" not in api.log_text()


@pytest.mark.parametrize("fmt", ["ndjson", "csv", "arrow", "parquet"])
def test_an_empty_answer_in_every_format(api: Api, tables: Client, fmt: str) -> None:
    answer = api.get("/api/recent", params={"format": fmt})
    assert answer.status_code == 200
    if fmt == "parquet":
        assert pq.read_table(io.BytesIO(answer.content)).num_rows == 0
