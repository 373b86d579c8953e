"""Requests: parameters, lists, formats."""

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clickhouse_connect.driver.client import Client

from tests.api.query_runner import QueryRunner
from tests.api.sql_texts import PLACES
from tests.api.support import Api, insert


def test_a_wrong_parameter_is_named_with_what_it_takes(api: Api) -> None:
    wrong = {
        "recent?limit=0": "limit", "recent?limit=x": "limit", "recent?limit=100001": "limit",
        "recent?from=yesterday": "from", "recent?limit=1&limit=2": "limit",
        "recent?cursor=x": "cursor", "recent?symbol=A": "symbol", "history": "symbols",
        "candles?symbols=A&interval=2m": "interval", "latest?format=xml": "format",
        f"latest?symbols={','.join(['A'] * 101)}": "symbols", "latest?symbols=A,,B": "symbols",
        "latest?symbols=": "symbols",
    }  # fmt: skip
    for path, name in wrong.items():
        answer = api.get(f"/api/{path}")
        assert (answer.status_code, answer.json().get("parameter")) == (400, name), path
        assert answer.json()["takes"]
    assert (
        "interval is '2m'; it takes one of 1s,"
        in api.get("/api/candles?symbols=A&interval=2m").text
    )
    assert api.get("/api/latest?symbols=%ff").status_code == 400
    assert api.get("/api/latest", headers={"accept": "image/png"}).status_code == 406


def test_a_list_is_repeated_or_comma_separated(api: Api, tables: Client) -> None:
    insert(tables, [(symbol, 1.0, 1, 0, n) for n, symbol in enumerate("ABC")])
    for query in ("symbols=A&symbols=C", "symbols=A,C"):
        rows = api.get(f"/api/latest?{query}").json()["data"]
        assert [row["symbol"] for row in rows] == ["A", "C"]


def names(runner: QueryRunner, address: str, rest: str = "") -> list[str]:
    return [row["n"] for row in runner.rows(PLACES.format(rest), address)]


@pytest.mark.parametrize(
    ("address", "values"),
    [
        ("names=Kathmandu,Paris", ["Kathmandu", "Paris"]),
        ("names=Kathmandu%2C%20Nepal", ["Kathmandu", " Nepal"]),
        ("names=Kathmandu%5C%2C%20Nepal", ["Kathmandu, Nepal"]),
        ("names=Kathmandu%5C%2C%20Nepal,P%5C%5C,C:%5Cx", ["Kathmandu, Nepal", "P\\", "C:\\x"]),
        ("names=Kathmandu%2C%20Nepal&names=Paris", ["Kathmandu, Nepal", "Paris"]),
        ("names=a%5C%2Cb&names=", ["a\\,b", ""]),
        ("names=", [""]),
    ],
)  # fmt: skip
def test_a_list_given_once_is_split_at_commas(
    runner: QueryRunner, address: str, values: list[str]
) -> None:
    assert names(runner, address) == values


@pytest.mark.parametrize(
    ("address", "values"),
    [
        ("names=Kathmandu%2C%20Nepal", ["Kathmandu, Nepal"]),
        ("names=a%5C%2Cb", ["a\\,b"]),
        ("names=Kathmandu%2C%20Nepal&names=Paris", ["Kathmandu, Nepal", "Paris"]),
    ],
)
def test_a_repeated_list_is_not_split(runner: QueryRunner, address: str, values: list[str]) -> None:
    assert names(runner, address, " [1..5] repeated") == values


def test_an_empty_default_reaches_clickhouse(runner: QueryRunner) -> None:
    text = "-- One row.\n-- @param device = '': Which.\nSELECT {device:String} AS d, length(d) AS n"
    assert runner.rows(text) == [{"d": "", "n": "0"}]


def test_the_format_comes_from_accept_or_the_parameter(api: Api, tables: Client) -> None:
    insert(tables, [("A", 10.0, 1, 0.5, 0), ("B", 20.0, 3, 1, 1)])
    lines = api.get("/api/recent", headers={"accept": "application/x-ndjson"})
    assert lines.headers["content-type"].startswith("application/x-ndjson")
    assert [line.startswith('{"symbol"') for line in lines.text.splitlines()] == [True, True]
    table = list(csv.DictReader(io.StringIO(api.get("/api/recent?format=csv").text)))
    assert table[1]["timestamp"] == "2024-01-30T00:00:00.500000Z"
    arrow = pa.ipc.open_stream(api.get("/api/recent?format=arrow").content).read_all()
    parquet = pq.read_table(io.BytesIO(api.get("/api/recent?format=parquet").content))
    for data in (arrow, parquet):
        assert data.column("symbol").to_pylist() == ["B", "A"]
        assert pa.types.is_timestamp(data.schema.field("timestamp").type)
