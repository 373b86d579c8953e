"""Keys with restrictions and rates, and requests that carry them."""

from typing import Any

import httpx

from tests.api.support import Api

KEYS = """
me: {key: all-all-all-all-all}
some: {key: some-some-some-some, only: {symbols: [A, B]}}
other: {key: other-other-other-other, only: {symbols: [C]}}
three: {key: three-three-three-three, rate: 3/hour}
second: {key: second-second-second, rate: 2/second}
crowd: {key: crowd-crowd-crowd-crowd, rate: 3/hour}
logged: {key: logged-logged-logged, rate: 3/hour}
"""
ME, SOME, OTHER, THREE, SECOND, CROWD, LOGGED = (
    {"authorization": f"Bearer {key}"}
    for key in (
        "all-all-all-all-all", "some-some-some-some", "other-other-other-other",
        "three-three-three-three", "second-second-second", "crowd-crowd-crowd-crowd",
        "logged-logged-logged",
    )
)  # fmt: skip
# Endpoints whose parameter `symbols` is a single value, or a list with a default.
ENDPOINTS = {
    "one": "-- One row.\n-- @param symbols: Whose.\nSELECT {symbols:String} AS symbol",
    "default_c": "-- One row.\n-- @param symbols = C: Whose.\nSELECT {symbols:String} AS symbol",
    "default_a": "-- One row.\n-- @param symbols = A: Whose.\nSELECT {symbols:String} AS symbol",
    "nullable": (
        "-- One row, or each.\n-- @param symbols = null: Whose.\n"
        "SELECT DISTINCT symbol FROM stocks.ticks\n"
        "WHERE symbol = {symbols:Nullable(String)} OR {symbols:Nullable(String)} IS NULL"
    ),
    "listed_c": (
        "-- One row per symbol.\n-- @param symbols = C: Whose.\n"
        "SELECT arrayJoin({symbols:Array(String)}) AS symbol"
    ),
    "loose": (
        "-- One row per symbol.\n-- @param symbols = []: Whose.\n"
        "SELECT DISTINCT symbol FROM stocks.ticks\n"
        "WHERE empty({symbols:Array(String)}) OR symbol IN {symbols:Array(String)}"
    ),
    "number": "-- One row.\n-- @param symbols = 0: Whose.\nSELECT {symbols:UInt8} AS symbol",
    "without": "-- One row per tick.\nSELECT symbol FROM stocks.ticks",
}


def symbols(api: Api, path: str, key: dict[str, str]) -> set[str]:
    answer = api.get(f"/api/{path}", headers=key)
    assert answer.status_code == 200, answer.text
    return {row["symbol"] for row in answer.json()["data"]}


def refused(api: Api, path: str | httpx.URL, key: dict[str, str] = SOME) -> dict[str, Any]:
    """The problem of a request, which must be 403."""
    answer = api.get(path, headers=key)
    assert (answer.status_code, "Bearer" in answer.text) == (403, False), (path, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    return dict(answer.json())
