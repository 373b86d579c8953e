"""Which parameter a refused query is blamed on."""

import pytest

from api.contract import cursors
from api.problems import ProblemError
from tests.api.query_runner import QueryRunner

ZONED = """-- One row.
-- @param zone = UTC: Where.
-- @param points = 4: How many.
-- @param other = 1: Beside.
SELECT toString(toTimeZone(toDateTime(0), {zone:String})) AS t, {other:UInt8} AS o,
intDiv(86400, {points:UInt16}) AS step"""


@pytest.mark.parametrize(
    ("address", "parameter"),
    [
        ("zone=Nowhere/X", "zone"),
        ("zone=Nowhere/X&other=5&points=6", "zone"),
        ("points=0&zone=Asia/Tokyo", "points"),
        ("points=0&zone=Nowhere/X", "zone, points"),
        ("points=0&format=arrow", "points"),
    ],
)
def test_a_value_that_clickhouse_cannot_take_is_named(
    runner: QueryRunner, address: str, parameter: str
) -> None:
    with pytest.raises(ProblemError, match="ClickHouse cannot take") as caught:
        runner.answer(ZONED, address)
    assert (caught.value.status, caught.value.extensions["parameter"]) == (400, parameter)
    assert runner.rows(ZONED, "zone=Asia/Tokyo")[0]["t"] == "1970-01-01 09:00:00"


def test_a_query_that_fails_with_any_value_blames_no_parameter(runner: QueryRunner) -> None:
    text = (
        "-- One row, never.\n-- @param n = 1: Any.\n"
        "SELECT throwIf(number = 0, 'secret') AS zero, {n:UInt8} AS n FROM numbers(1)"
    )
    with pytest.raises(ProblemError) as caught:
        runner.answer(text, "n=2")
    assert (caught.value.status, "secret" in caught.value.detail) == (500, False)


def test_a_cursor_that_clickhouse_cannot_take_is_named(runner: QueryRunner) -> None:
    text = "-- One row.\n-- @page k\nSELECT toIPv4('1.2.3.4') AS k"
    query = runner.query(text)
    forged = cursors.encode("file", query.endpoint.keys, {"k": "no address"})
    with pytest.raises(ProblemError) as caught:
        runner.answer(text, f"cursor={forged}")
    assert (caught.value.status, caught.value.extensions["parameter"]) == (400, "cursor")
