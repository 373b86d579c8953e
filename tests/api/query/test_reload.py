"""Edited endpoint files."""

from collections.abc import Callable

from clickhouse_connect.driver.client import Client

from tests.api.sql_texts import MOST_TICKS
from tests.api.support import Api
from tests.conftest import wait_until


def test_an_edited_file_is_served_and_a_broken_one_keeps_its_old_version(
    make_api: Callable[..., Api], tables: Client
) -> None:
    api = make_api()
    api.start("--reload")
    file = api.sql / "most_ticks.sql"
    file.write_text(MOST_TICKS)
    wait_until(lambda: api.get("/api/most_ticks").status_code == 200)
    file.write_text(MOST_TICKS.replace("symbol,", "symbl,"))
    wait_until(lambda: "most_ticks.sql:3: ClickHouse refuses it" in api.log_text())
    assert api.get("/api/most_ticks").status_code == 200
    file.unlink()
    wait_until(lambda: api.get("/api/most_ticks").status_code == 404)
