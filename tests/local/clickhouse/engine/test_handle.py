"""Calls of the engine: their totals, settings and errors."""

import json

from lib.clickhouse_errors import Code
from tests.local.clickhouse.conftest import Embedded, code_of


def test_an_error_that_quotes_a_byte_which_is_not_utf_8(server: Embedded) -> None:
    response = server.post(b"SELECT nosuch('\xff')")
    assert (response.status_code, code_of(response)) == (404, Code.UNKNOWN_FUNCTION)
    assert response.text.startswith("Code: 46. DB::Exception: ")


def test_the_summary_counts_written_rows(server: Embedded, table: str) -> None:
    response = server.post("INSERT INTO rows (a) SELECT number FROM numbers(30)")
    assert json.loads(response.headers["x-clickhouse-summary"])["written_rows"] == "30"


def test_settings_reach_the_input_format(server: Embedded, table: str) -> None:
    query = f"INSERT INTO {table} FORMAT JSONEachRow"
    row = b'{"a": 1, "b": null}'
    assert server.post(row, query=query, input_format_null_as_default="0").status_code == 400
    assert server.post(row, query=query, input_format_null_as_default="1").status_code == 200
