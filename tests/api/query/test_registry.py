"""Endpoint files checked against ClickHouse."""

from collections.abc import Callable

import pytest

from lib.errors import SqlFileError
from tests.api.query_runner import QueryRunner
from tests.api.support import Api

HEAD = "-- One row per tick.\n"


@pytest.mark.parametrize(
    ("sql", "place", "fact"),
    [
        ("SELECT\n    symbl\nFROM stocks.ticks", "trades.sql:3: ", "`symbl`"),
        ("SELECT 1\nFROM stocks.tcks", "trades.sql:3: ", "stocks.tcks"),
        ("SELECT 1\nFRM stocks.ticks", "trades.sql:3: ", "Syntax error"),
        ("SELECT 1 FORMAT CSV", "trades.sql:2: ", "Syntax error"),
    ],
)
def test_a_refusal_of_clickhouse_names_the_line(
    make_api: Callable[..., Api], sql: str, place: str, fact: str
) -> None:
    api = make_api()
    (api.sql / "trades.sql").write_text(HEAD + sql)
    ended = api.run("validate")
    assert ended.returncode == 2
    assert (place in ended.stderr, fact in ended.stderr) == (True, True), ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("column", ["nothing", "n", "l"])
def test_a_page_needs_columns_that_can_be_ordered(
    make_api: Callable[..., Api], column: str
) -> None:
    api = make_api()
    text = f"{HEAD}-- @page {column}\nSELECT toNullable(1) AS n, [1] AS l"
    (api.sql / "trades.sql").write_text(text)
    ended = api.run("validate")
    assert (ended.returncode, f"@page {column}: " in ended.stderr) == (2, True)


def test_a_state_of_an_aggregation_is_refused(runner: QueryRunner) -> None:
    with pytest.raises(SqlFileError, match="s: a state of an aggregation"):
        runner.query(f"{HEAD}SELECT sumState(1) AS s")


@pytest.mark.parametrize(
    "sql",
    [
        "-- @param points [1..1000]: How many.\nSELECT intDiv(86400, {points:UInt16}) AS step",
        "-- @param points: How many.\nSELECT intDiv(86400, {points:UInt16}) AS step",
        "-- @param zone: Where.\nSELECT toTimeZone(now(), {zone:String}) AS here",
        "-- @param zone = 'Europe/Berlin': Where.\nSELECT toTimeZone(now(), {zone:String}) AS here",
    ],
)
def test_a_file_is_checked_with_valid_values(runner: QueryRunner, sql: str) -> None:
    assert len(runner.query(f"-- One row.\n{sql}").columns) == 1


def test_a_refused_file_names_the_sample_values(runner: QueryRunner) -> None:
    text = "-- One row.\n-- @param unit: Of time.\nSELECT dateTrunc({unit:String}, now()) AS t"
    with pytest.raises(SqlFileError, match=r"refuses it with unit = UTC: .*give it a default"):
        runner.query(text)
