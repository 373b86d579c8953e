"""One ClickHouse and one API for all tests that only read, and fixtures for tests that do not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from bench.stack import remove_cache
from tests.api.keyed import ENDPOINTS, KEYS
from tests.api.query_runner import QueryRunner
from tests.api.support import Api, insert, migrated
from tests.conftest import Server, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A ClickHouse with the real tables."""
    with serving(tmp_path_factory.mktemp("api-clickhouse") / "data") as clickhouse:
        migrated(clickhouse).close()
        yield clickhouse


@pytest.fixture
def tables(server: Server) -> Iterator[Client]:
    """A client of its tables, which are empty."""
    client = migrated(server)
    for table in ("ticks", "latest", "job_runs", "job_status", "dead_letters", "alerts"):
        client.command(f"TRUNCATE TABLE stocks.{table}")
    yield client
    client.close()


@pytest.fixture(scope="session")
def api(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API with the endpoints of the repository; tests must not add any."""
    # Without @cache: answers must contain the rows that a test has just stored.
    shared = Api(tmp_path_factory.mktemp("api"), server.settings)
    remove_cache(shared.sql)
    with shared.running():
        yield shared


@pytest.fixture
def make_api(server: Server, tmp_path: Path) -> Iterator[Callable[..., Api]]:
    """Make an API of the test's own; it is stopped at the end."""
    made: list[Api] = []

    def make(**settings: object) -> Api:
        made.append(Api(tmp_path, server.settings, **settings))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def runner(server: Server, tmp_path: Path) -> QueryRunner:
    """Run endpoint files of a test, without an API of its own."""
    return QueryRunner(tmp_path, server.settings)


@pytest.fixture(scope="session")
def api_with_keys(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API with keys."""
    api = Api(tmp_path_factory.mktemp("keys"), server.settings, api__keys=KEYS)
    for name, sql in ENDPOINTS.items():
        (api.sql / f"{name}.sql").write_text(sql)
    with api.running():
        yield api


@pytest.fixture
def keyed(api_with_keys: Api, tables: Client) -> Api:
    """An API with keys, and ticks of A, B and C, the last of which some keys may not read."""
    insert(tables, [(symbol, n, 1, n, n) for n in range(1, 9) for symbol in "ABC"])
    return api_with_keys


@pytest.fixture
def pair(mortal: Server, tmp_path: Path) -> Iterator[tuple[Server, Api]]:
    """A ClickHouse to kill, and an API that queries it."""
    client = migrated(mortal)
    insert(client, [("A", 1.0, 1, 0, 0)])
    client.close()
    api = Api(tmp_path / "api", mortal.settings)
    # Far more than what socket buffers hold.
    long = "SELECT number, repeat('x', 1000) AS text FROM numbers(300000)"
    (api.sql / "long.sql").write_text(f"-- One row after the other.\n{long}")
    with api.running():
        yield mortal, api
