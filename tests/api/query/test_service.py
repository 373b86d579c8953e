"""Shared and cached answers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from clickhouse_connect.driver.client import Client

from tests.api.keyed import KEYS, ME, OTHER, SOME, symbols
from tests.api.support import Api, insert


def test_equal_concurrent_requests_run_one_query(
    make_api: Callable[..., Api], tables: Client
) -> None:
    api = make_api()
    (api.sql / "slow.sql").write_text("-- One row, late.\nSELECT sleep(1) AS zero, rand() AS r")
    api.start()
    with api.at_once("/api/slow", 8) as answers:
        bodies = {answer.read() for answer in answers}
    assert len(bodies) == 1 and b"zero" in bodies.pop()


def test_shared_and_cached_answers_respect_the_restrictions_of_each_key(
    make_api: Callable[..., Api], tables: Client
) -> None:
    """Concurrent equal requests with three keys, to an endpoint that is cached."""
    api = make_api(api__keys=KEYS)
    (api.sql / "slow.sql").write_text(
        "-- One row per symbol, late.\n-- @param symbols = []: Whose.\n-- @cache 3\n"
        "SELECT symbol, count() AS n FROM stocks.ticks\n"
        "WHERE (empty({symbols:Array(String)}) OR symbol IN {symbols:Array(String)})"
        " AND sleep(0.3) = 0 GROUP BY symbol"
    )
    api.start()
    insert(tables, [(symbol, 1.0, 1, 0, n) for n, symbol in enumerate("ABC")])
    keys = [(ME, {"A", "B", "C"}), (SOME, {"A", "B"}), (OTHER, {"C"})] * 4
    for _ in range(2):
        with ThreadPoolExecutor(12) as pool:
            read = pool.map(lambda pair: symbols(api, "slow", pair[0]), keys)
        assert [*read] == [expected for _, expected in keys]
