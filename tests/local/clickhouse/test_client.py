"""clickhouse-connect, unchanged, against the embedded server."""

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
from clickhouse_connect.driver.external import ExternalData

from lib.clickhouse_errors import Code
from tests.local.clickhouse.conftest import Embedded

COMPRESSIONS = [False, True, "lz4", "zstd", "gzip"]


def numbers(count: int) -> pa.Table:
    return pa.table({"a": pa.array(range(count), pa.int64()), "b": ["x"] * count})


@pytest.fixture(params=["default", "reader"])
def any_client(server: Embedded, request: pytest.FixtureRequest) -> Iterator[Client]:
    with server.client(username=request.param) as client:
        yield client


@pytest.fixture
def client(server: Embedded) -> Iterator[Client]:
    with server.client() as client:
        yield client


def test_query_with_default_options(any_client: Client) -> None:
    rows = any_client.query("SELECT {a:UInt8}, 'x', [1, 2]", parameters={"a": 3}).result_rows
    assert rows == [(3, "x", [1, 2])]


def test_text_parameters_survive(any_client: Client) -> None:
    text = "it's a \\ tab\tnew\nline é"
    assert any_client.query("SELECT {t:String}", parameters={"t": text}).result_rows == [(text,)]


def test_a_columns_only_query(any_client: Client) -> None:
    assert any_client.query("SELECT 1 AS one LIMIT 0").column_names == ("one",)


def test_insert_rows(client: Client, table: str) -> None:
    summary = client.insert(table, [[1, "p"], [2, "q"]], column_names=["a", "b"])
    assert summary.written_rows == 2
    assert client.query(f"SELECT a, b FROM {table} ORDER BY a").result_rows == [(1, "p"), (2, "q")]


def test_insert_arrow(client: Client, table: str) -> None:
    assert client.insert_arrow(table, numbers(20_000)).written_rows == 20_000
    assert client.query(f"SELECT sum(a) FROM {table}").result_rows == [(199_990_000,)]


def test_insert_df(client: Client, table: str) -> None:
    client.insert_df(table, pd.DataFrame({"a": [1, 2], "b": ["é", ""]}))
    assert client.query_df(f"SELECT * FROM {table} ORDER BY a")["b"].tolist() == ["é", ""]


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_compression_both_ways(server: Embedded, table: str, compress: bool | str) -> None:
    with server.client(compress=compress) as client:
        client.insert_arrow(table, numbers(5000))
        client.insert(table, [[n, "y"] for n in range(5000)], column_names=["a", "b"])
        assert client.query_arrow(f"SELECT * FROM {table}").num_rows == 10_000
        assert len(client.query(f"SELECT * FROM {table}").result_rows) == 10_000


def test_query_arrow_and_np_and_df(any_client: Client) -> None:
    sql = "SELECT number AS n, toString(number) AS s FROM numbers(100000)"
    assert any_client.query_arrow(sql).num_rows == 100_000
    assert any_client.query_df(sql).shape == (100_000, 2)
    assert any_client.query_np("SELECT number FROM numbers(100000)").sum() == 4_999_950_000


def test_streams(any_client: Client) -> None:
    sql = "SELECT number, toLowCardinality(toString(number % 7)) AS s FROM numbers(700000)"
    with any_client.query_row_block_stream(sql) as stream:
        assert sum(len(block) for block in stream) == 700_000
    with any_client.query_arrow_stream(sql) as stream:
        assert sum(batch.num_rows for batch in stream) == 700_000


def test_an_error_in_the_middle_of_a_stream_raises(any_client: Client) -> None:
    sql = "SELECT throwIf(number = 4000000) FROM numbers(9000000)"
    with pytest.raises(ClickHouseError), any_client.query_row_block_stream(sql) as stream:
        for _ in stream:
            pass


def test_an_error_before_the_answer_has_its_code(any_client: Client) -> None:
    with pytest.raises(DatabaseError, match="nosuch") as caught:
        any_client.query("SELECT * FROM nosuch")
    assert caught.value.code == Code.UNKNOWN_TABLE


def test_external_data(any_client: Client) -> None:
    data = ExternalData(
        file_name="pairs.csv", data=b"1,a\n2,b\n", fmt="CSV", structure=["id UInt8", "s String"]
    )
    result = any_client.query(
        "SELECT s FROM pairs WHERE id = {id:UInt8}", parameters={"id": 2}, external_data=data
    )
    assert result.result_rows == [("b",)]


def test_parameters_in_a_form(server: Embedded) -> None:
    with server.client(form_encode_query_params=True) as client:
        rows = client.query("SELECT {x:Array(String)}", parameters={"x": ["a'", "b"]}).result_rows
    assert rows == [(["a'", "b"],)]


def test_settings_reach_the_query(client: Client) -> None:
    result = client.query("SELECT getSetting('max_threads')", settings={"max_threads": 3})
    assert result.result_rows == [(3,)]
    assert client.query("SELECT getSetting('max_threads')").result_rows != [(3,)]


def test_a_session_keeps_temporary_tables_and_settings(client: Client) -> None:
    client.command("CREATE TEMPORARY TABLE mine (n UInt8)")
    client.command("SET max_block_size = 1234")
    client.insert("mine", [[5]], column_names=["n"])
    assert client.query("SELECT n, getSetting('max_block_size') FROM mine").result_rows == [
        (5, 1234)
    ]


def test_commands(client: Client) -> None:
    assert client.command("SELECT 17") == 17
    assert client.ping()
    assert client.command("SELECT 1 WHERE 0") == ""
    assert client.command("DROP TABLE IF EXISTS nosuch").query_id()
    assert "query_id" in client.query("SET max_threads = 2").first_item
