"""One ClickHouse and one API for all tests that only ask; both of their own, for stocks.ticks."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from tests.api.asking import Asking
from tests.api.support import Api, migrated
from tests.conftest import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A ClickHouse with the real tables."""
    found = Server(tmp_path_factory.mktemp("api-clickhouse") / "data")
    try:
        found.start()
        migrated(found).close()
        yield found
    finally:
        found.kill()


@pytest.fixture
def tables(server: Server) -> Iterator[Client]:
    """Its tables, empty."""
    client = migrated(server)
    for table in ("ticks", "latest", "job_runs", "job_status"):
        client.command(f"TRUNCATE TABLE stocks.{table}")
    yield client
    client.close()


@pytest.fixture(scope="session")
def api(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API with the endpoints of the repository, kept free of what tests add."""
    # No answer may be older than the rows that a test has just stored.
    found = Api(tmp_path_factory.mktemp("api"), server.settings)
    for file in found.sql.glob("*.sql"):
        text = file.read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if not line.startswith("-- @cache")]
        file.write_text("\n".join(lines), encoding="utf-8")
    with found.running():
        yield found


@pytest.fixture
def make_api(server: Server, tmp_path: Path) -> Iterator[Callable[..., Api]]:
    """Make an API of the test's own; it is stopped in the end."""
    made: list[Api] = []

    def make(**settings: object) -> Api:
        made.append(Api(tmp_path, server.settings, **settings))
        return made[-1]

    yield make
    for found in made:
        found.stop()


@pytest.fixture
def asking(server: Server, tmp_path: Path) -> Asking:
    """Ask files that a test writes, without an API of its own."""
    return Asking(tmp_path, server.settings)
