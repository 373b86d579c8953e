"""A ClickHouse with the real tables, to which commands are directed."""

import pytest
from clickhouse_connect.driver.client import Client

from tests.api.conftest import server, tables
from tests.conftest import Server

__all__ = ["server", "tables"]


@pytest.fixture
def letters(server: Server, tables: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client of its tables, without any dead letter."""
    monkeypatch.setenv("MILLRACE_CLICKHOUSE__PORT", str(server.settings.port))
    return tables
