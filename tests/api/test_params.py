"""Parameters in files and addresses: lists and what separates them, defaults, values that
ClickHouse cannot take."""

import re
from pathlib import Path
from typing import Any

import pytest

from api.contract import cursors, endpoints
from api.contract.declarations import declare, param
from api.contract.parameters import Param, read, sample, split
from api.http import openapi
from api.problems import ProblemError
from lib.errors import SqlFileError
from tests.api.asking import Asking

PLACES = (
    "-- One row per place.\n-- @param names{}: Which.\n"
    "SELECT arrayJoin({{names:Array(String)}}) AS n"
)


def made(kind: str, rest: str = "") -> Param:
    return param("f:1", declare("f:1", f"p{rest}: P."), kind, "f:2")


def names(asking: Asking, address: str, rest: str = "") -> list[str]:
    return [row["n"] for row in asking.rows(PLACES.format(rest), address)]


@pytest.mark.parametrize(
    ("address", "found"),
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
def test_a_list_is_split_where_it_is_one_text(
    asking: Asking, address: str, found: list[str]
) -> None:
    assert names(asking, address) == found


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("names=Kathmandu%2C%20Nepal", ["Kathmandu, Nepal"]),
        ("names=a%5C%2Cb", ["a\\,b"]),
        ("names=Kathmandu%2C%20Nepal&names=Paris", ["Kathmandu, Nepal", "Paris"]),
    ],
)
def test_a_repeated_list_is_never_split(asking: Asking, address: str, found: list[str]) -> None:
    assert names(asking, address, " [1..5] repeated") == found


def test_the_description_says_how_a_list_is_written(asking: Asking) -> None:
    for rest, explode in (("", False), (" repeated", True)):
        query = asking.query(PLACES.format(rest))
        paths = openapi.document({"asked": query}, keys=False)["paths"]
        described = paths["/api/asked"]["get"]["parameters"][0]
        assert (described["style"], described["explode"]) == ("form", explode)
        items = described["schema"]["items"]
        for value in ("a,b", "a\\b"):
            fits = not re.search(items["not"]["pattern"], value) if "not" in items else True
            assert fits == explode, value
        assert (r"`\,` is a comma" in described["description"]) != explode


def test_a_text_is_split_as_documented() -> None:
    assert split(r"a\,b,\\,c\d,\\\,e\\") == ["a,b", "\\", "c\\d", "\\,e\\"]
    assert split(",") == ["", ""]
    assert split("a\\") == ["a\\"]


@pytest.mark.parametrize(
    ("kind", "text", "default"),
    [
        ("String", "''", ""),
        ("String", "'null'", "null"),
        ("String", "'it''s'", "it's"),
        ("String", "'a: b'", "a: b"),
        ("String", "' '", " "),
        ("String", "plain text", "plain text"),
        ("Nullable(String)", "null", None),
        ("Nullable(String)", "'null'", "null"),
        ("Nullable(String)", "''", ""),
        ("UInt8", "'5'", 5),
        ("Array(String)", "[]", []),
        ("Array(String)", "''", [""]),
        ("Array(String)", "'[]'", ["[]"]),
        ("Array(String)", "a, 'b, c' ,'d''e'", ["a", "b, c", "d'e"]),
        ("Array(String)", "a,,b", ["a", "", "b"]),
        ("Array(UInt8)", "1,2", [1, 2]),
    ],
)
def test_quotes_quote_in_a_default(kind: str, text: str, default: Any) -> None:
    found = made(kind, f" = {text}")
    assert (found.default, found.required) == (default, False)


def test_an_empty_default_reaches_clickhouse(asking: Asking) -> None:
    text = "-- One row.\n-- @param device = '': Which.\nSELECT {device:String} AS d, length(d) AS n"
    assert asking.rows(text) == [{"d": "", "n": "0"}]


def test_only_a_list_is_repeated() -> None:
    with pytest.raises(SqlFileError, match="f:1: p is no Array"):
        made("String", " repeated")


@pytest.mark.parametrize(
    ("kind", "rest"),
    [
        ("UInt16", " [1..1000]"), ("UInt16", " [5..]"), ("Int8", " [..-3]"), ("Float64", " [2..3]"),
        ("String", ""), ("String", " [5..9]"), ("String", " [..1]"), ("String", " [20..]"),
        ("Array(UInt8)", " [2..3]"), ("Array(String)", ""), ("Date", " [2025-01-01..]"),
        ("DateTime64(6, 'UTC')", " [..1999-01-01]"), ("UUID", ""), ("Bool", ""),
        ("Enum8('a', 'b')", ""),
        ("Array(String)", " [1..20] /[A-Z0-9.-]{1,16}/"), ("Nullable(UInt8)", " [7..]"),
    ],
)  # fmt: skip
def test_the_value_that_a_file_is_checked_with_fits(kind: str, rest: str) -> None:
    found = made(kind, rest)
    value = sample(found)
    texts = [str(item) for item in value] if found.is_array else [str(value).lower()]
    if kind == "String":
        texts = [value]
    assert read(found, texts) == value


@pytest.mark.parametrize(
    "sql",
    [
        "-- @param points [1..1000]: How many.\nSELECT intDiv(86400, {points:UInt16}) AS step",
        "-- @param points: How many.\nSELECT intDiv(86400, {points:UInt16}) AS step",
        "-- @param zone: Where.\nSELECT toTimeZone(now(), {zone:String}) AS here",
        "-- @param zone = 'Europe/Berlin': Where.\nSELECT toTimeZone(now(), {zone:String}) AS here",
    ],
)
def test_a_file_is_checked_with_values_that_it_takes(asking: Asking, sql: str) -> None:
    assert len(asking.query(f"-- One row.\n{sql}").columns) == 1


def test_a_refused_file_says_which_values_nobody_gave(asking: Asking) -> None:
    text = "-- One row.\n-- @param unit: Of time.\nSELECT dateTrunc({unit:String}, now()) AS t"
    with pytest.raises(SqlFileError, match=r"refuses it with unit = UTC: .*give it a default"):
        asking.query(text)


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
    asking: Asking, address: str, parameter: str
) -> None:
    with pytest.raises(ProblemError, match="ClickHouse cannot take") as caught:
        asking.answer(ZONED, address)
    assert (caught.value.status, caught.value.more["parameter"]) == (400, parameter)
    assert asking.rows(ZONED, "zone=Asia/Tokyo")[0]["t"] == "1970-01-01 09:00:00"


def test_what_fails_with_any_value_is_no_fault_of_a_parameter(asking: Asking) -> None:
    text = (
        "-- One row, never.\n-- @param n = 1: Any.\n"
        "SELECT throwIf(number = 0, 'secret') AS zero, {n:UInt8} AS n FROM numbers(1)"
    )
    with pytest.raises(ProblemError) as caught:
        asking.answer(text, "n=2")
    assert (caught.value.status, "secret" in caught.value.detail) == (500, False)


def test_a_cursor_that_clickhouse_cannot_take_is_named(asking: Asking) -> None:
    text = "-- One row.\n-- @page k\nSELECT toIPv4('1.2.3.4') AS k"
    query = asking.query(text)
    forged = cursors.encode("asked", query.endpoint.keys, {"k": "no address"})
    with pytest.raises(ProblemError) as caught:
        asking.answer(text, f"cursor={forged}")
    assert (caught.value.status, caught.value.more["parameter"]) == (400, "cursor")


def test_the_contract_reads_the_word_repeated(tmp_path: Path) -> None:
    path = tmp_path / "places.sql"
    path.write_text(PLACES.format(" = 'a, b' [..3] /.*/ repeated"))
    (found,) = endpoints.read(path, {}).params
    assert (found.is_repeated, found.default, found.high) == (True, ["a, b"], 3)
