"""Keys that may ask only for some values, and only so often; and ways round that."""

import csv
import io
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clickhouse_connect.driver.client import Client

from tests.api.support import Api, insert
from tests.api.test_push import EVENTS, events, fresh
from tests.conftest import Server

KEYS = """
me: {key: all-all-all-all-all}
some: {key: some-some-some-some, only: {symbols: [A, B]}}
other: {key: other-other-other-other, only: {symbols: [C]}}
three: {key: three-three-three-three, rate: 3/hour}
second: {key: second-second-second, rate: 2/second}
crowd: {key: crowd-crowd-crowd-crowd, rate: 3/hour}
"""
ME, SOME, OTHER, THREE, SECOND, CROWD = (
    {"authorization": f"Bearer {key}"}
    for key in (
        "all-all-all-all-all", "some-some-some-some", "other-other-other-other",
        "three-three-three-three", "second-second-second", "crowd-crowd-crowd-crowd",
    )
)  # fmt: skip
NARROWED = ["latest", "recent", "stats", "symbols", "history?symbols=A,B", "candles?symbols=A,B"]
# One value, and a list that none but the author knows of.
SCALARS = {
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


@pytest.fixture(scope="module")
def api_with_keys(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API with keys."""
    found = Api(tmp_path_factory.mktemp("keys"), server.settings, api__keys=KEYS)
    for name, sql in SCALARS.items():
        (found.sql / f"{name}.sql").write_text(sql)
    with found.running():
        yield found


@pytest.fixture
def keyed(api_with_keys: Api, tables: Client) -> Api:
    """The same, and ticks of A, B and C, the last of which not every key may see."""
    insert(tables, [(symbol, n, 1, n, n) for n in range(1, 9) for symbol in "ABC"])
    return api_with_keys


def symbols(api: Api, path: str, key: dict[str, str]) -> set[str]:
    answer = api.get(f"/api/{path}", headers=key)
    assert answer.status_code == 200, answer.text
    return {row["symbol"] for row in answer.json()["data"]}


def refused(api: Api, path: str | httpx.URL, key: dict[str, str] = SOME) -> dict[str, Any]:
    """The problem that a request is answered with, which must be 403."""
    answer = api.get(path, headers=key)
    assert (answer.status_code, "Bearer" in answer.text) == (403, False), (path, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    return dict(answer.json())


@pytest.mark.parametrize("way", ["whole", "head"])
def test_a_key_sees_what_it_may_and_by_default_all_of_that(keyed: Api, way: str) -> None:
    for path in NARROWED:
        if way == "head":
            assert keyed.client.head(f"/api/{path}", headers=SOME).status_code == 200
            continue
        assert symbols(keyed, path, SOME) == {"A", "B"}, path
    assert symbols(keyed, "latest", ME) >= {"A", "B", "C"}
    assert symbols(keyed, "latest", OTHER) == {"C"}
    assert symbols(keyed, "latest?symbols=B", SOME) == {"B"}
    # What is required remains so.
    assert keyed.get("/api/history", headers=SOME).status_code == 400


def test_other_values_are_refused_with_those_that_are_not(keyed: Api) -> None:
    assert refused(keyed, "/api/latest?symbols=A,C") == {
        "type": "about:blank", "title": "Forbidden", "status": 403,
        "detail": "symbols: this key may ask only for A, B.",
        "parameter": "symbols", "takes": ["A", "B"],
    }  # fmt: skip
    for path in (path.partition("?")[0] for path in NARROWED):
        assert refused(keyed, f"/api/{path}?symbols=C")["takes"] == ["A", "B"]


@pytest.mark.parametrize(
    "query",
    [
        "symbols=C", "symbols=A&symbols=C", "symbols=C&symbols=A", "symbols=A,C", "symbols=C,A,B",
        "symbols=A%2CC", "symbols=%43", "sym%62ols=C", "symbols=D", "symbols=A.C",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["latest", "recent", "stream"])
def test_no_way_of_writing_a_value_gets_round(keyed: Api, name: str, query: str) -> None:
    assert refused(keyed, f"/api/{name}?{query}")["parameter"] == "symbols"
    assert keyed.client.head(f"/api/{name}?{query}", headers=SOME).status_code == 403


@pytest.mark.parametrize("query", ["symbols=A%2cC&symbols=A", "symbols=A&symbols=A,C"])
def test_a_comma_in_a_repeated_value_is_no_way_round(keyed: Api, query: str) -> None:
    answer = keyed.get(f"/api/latest?{query}", headers=SOME)
    assert (answer.status_code, answer.json()["parameter"]) == (400, "symbols")


@pytest.mark.parametrize(
    "query",
    [
        "symbols=", "symbols", "symbols=&symbols=", "symbols=,", "symbols=A,", "symbols=a",
        "symbols=A%00", "symbols=%20A", "symbols=A%0a", "symbols[]=C", "Symbols=C", "symbols%20=C",
        "symbols=A;symbols=C", "symbols=A+OR+1", "symbols=['C']", "symbols=\\N", "symbols=*",
    ],
)  # fmt: skip
def test_what_is_nothing_is_never_all(keyed: Api, query: str) -> None:
    for name in ("latest", "recent", "stream", "symbols", "loose", "listed_c", "nullable"):
        answer = keyed.get(f"/api/{name}?{query}", headers=SOME)
        assert answer.status_code in (400, 403), (name, answer.text)


def test_a_single_value_must_be_allowed_also_as_a_default(keyed: Api) -> None:
    assert symbols(keyed, "one?symbols=A", SOME) == {"A"}
    assert symbols(keyed, "default_a", SOME) == {"A"}
    assert symbols(keyed, "nullable?symbols=B", SOME) == {"B"}
    for path in ("one?symbols=C", "default_c", "default_a?symbols=C", "nullable"):
        assert refused(keyed, f"/api/{path}")["parameter"] == "symbols"
    assert keyed.get("/api/one", headers=SOME).status_code == 400
    # A default that is a list of what it may not see gives way to what it may.
    assert symbols(keyed, "listed_c", SOME) == symbols(keyed, "loose", SOME) == {"A", "B"}
    # A parameter of the same name whose values are none of those.
    for path in ("number", "number?symbols=0"):
        assert refused(keyed, f"/api/{path}")["parameter"] == "symbols"


def test_what_cannot_be_narrowed_is_refused(keyed: Api) -> None:
    detail = "This key sees only some symbols, and /api/without cannot be narrowed to them."
    assert refused(keyed, "/api/without")["detail"] == detail
    for path in ("/api/without?symbols=A", "/api/health", "/metrics", "//metrics", "/metrics/"):
        address = httpx.URL(f"http://127.0.0.1:{keyed.port}", raw_path=path.encode())
        refused(keyed, address)
        assert keyed.get(address, headers=ME).status_code in (200, 400)
    assert keyed.get("/health").status_code not in (401, 403)


def test_health_tells_its_parts_only_to_who_sees_all(keyed: Api) -> None:
    said = [keyed.health(headers).json() for headers in ({}, SOME, ME)]
    assert len({answer["status"] for answer in said}) == 1
    assert [bool(answer["parts"]) for answer in said] == [False, False, True]


def test_every_format_is_narrowed(keyed: Api) -> None:
    def bytes_of(fmt: str) -> bytes:
        answer = keyed.get(f"/api/recent?format={fmt}", headers=SOME)
        assert answer.status_code == 200
        assert keyed.get(f"/api/recent?format={fmt}&symbols=C", headers=SOME).status_code == 403
        return answer.content

    lines = [json.loads(line)["symbol"] for line in bytes_of("ndjson").splitlines()]
    table = [row["symbol"] for row in csv.DictReader(io.StringIO(bytes_of("csv").decode()))]
    arrow = pa.ipc.open_stream(bytes_of("arrow")).read_all().column("symbol").to_pylist()
    parquet = pq.read_table(io.BytesIO(bytes_of("parquet"))).column("symbol").to_pylist()
    for found in (lines, table, arrow, parquet):
        assert sorted(found) == ["A"] * 8 + ["B"] * 8


def test_a_cursor_never_widens(keyed: Api) -> None:
    """Neither one's own, nor one that a key got which sees all, nor one made up."""
    everything = keyed.get("/api/recent?limit=1", headers=ME).json()["next"]
    made_up = urlsafe_b64encode(b'["C",1,2]').decode()
    for cursor in (everything, made_up, None):
        seen: list[str] = []
        while True:
            params = {"limit": "5", **({"cursor": cursor} if cursor else {})}
            answer = keyed.get("/api/recent", headers=SOME, params=params)
            if answer.status_code == 400:
                assert cursor == made_up
                break
            seen += [row["symbol"] for row in answer.json()["data"]]
            cursor = answer.json()["next"]
            if cursor is None:
                assert {*seen} == {"A", "B"}
                break
    assert refused(keyed, f"/api/recent?symbols=C&cursor={everything}")


def test_answers_that_are_shared_or_kept_are_never_anothers(
    make_api: Callable[..., Api], tables: Client
) -> None:
    """Equal addresses at one time, each asked under three keys, of an endpoint that keeps them."""
    api = make_api(api__keys=KEYS)
    (api.sql / "slow.sql").write_text(
        "-- One row per symbol, late.\n-- @param symbols = []: Whose.\n-- @cache 3\n"
        "SELECT symbol, count() AS n FROM stocks.ticks\n"
        "WHERE (empty({symbols:Array(String)}) OR symbol IN {symbols:Array(String)})"
        " AND sleep(0.3) = 0 GROUP BY symbol"
    )
    api.start()
    insert(tables, [(symbol, 1.0, 1, 0, n) for n, symbol in enumerate("ABC")])
    keys = [(ME, {"A", "B", "C"}), (SOME, {"A", "B"}), (OTHER, {"C"})] * 4
    for _ in range(2):
        with ThreadPoolExecutor(12) as pool:
            found = pool.map(lambda pair: symbols(api, "slow", pair[0]), keys)
        assert [*found] == [expected for _, expected in keys]


def test_a_tag_says_nothing_of_what_a_key_does_not_see(keyed: Api, tables: Client) -> None:
    everything = keyed.get("/api/latest", headers=ME)
    mine = keyed.get("/api/latest", headers=SOME)
    assert "Authorization" in mine.headers["vary"]
    tag = {**SOME, "if-none-match": everything.headers["etag"]}
    assert symbols(keyed, "latest", tag) == {"A", "B"}
    insert(tables, [("C", 99.0, 1, 99, 99)])
    tag = {**SOME, "if-none-match": mine.headers["etag"]}
    assert keyed.get("/api/latest", headers=tag).status_code == 304
    tag = {**SOME, "if-none-match": "*, " + keyed.get("/api/latest", headers=ME).headers["etag"]}
    assert symbols(keyed, "latest", tag) == {"A", "B"}
    assert refused(keyed, "/api/latest?symbols=C", tag)


def test_the_description_and_404_name_only_what_a_key_can_use(keyed: Api) -> None:
    paths = keyed.get("/openapi.json", headers=SOME).json()["paths"]
    assert {"/api/latest", "/api/stream", "/api/one"} <= {*paths}
    assert not {"/api/without", "/api/health"} & {*paths}
    assert {"403", "429"} <= {*paths["/api/latest"]["get"]["responses"]}
    assert "/api/without" in keyed.get("/openapi.json", headers=ME).json()["paths"]
    for path in ("/api/none", "/none", "/api/latest/none"):
        answer = keyed.get(path, headers=SOME)
        assert (answer.status_code, "/api/latest" in answer.text) == (404, True)
        assert "/api/without" not in answer.text
        assert "/api/without" in keyed.get(path, headers=ME).text
    assert keyed.get("/openapi.json").status_code == 401


def sent(api: Api, path: str, key: dict[str, str], seen: str = "") -> Iterator[dict[str, str]]:
    headers = {**EVENTS, **key, **({"last-event-id": seen} if seen else {})}
    address = f"http://127.0.0.1:{api.port}/api/{path}"
    with httpx.stream("GET", address, headers=headers, timeout=90) as answer:
        assert answer.status_code == 200
        yield from events(answer.iter_lines())


def rows(event: dict[str, str]) -> list[tuple[str, int]]:
    found = json.loads(event.get("data", "[]"))
    return [(row["symbol"], int(row["kafka_offset"])) for row in found]


def test_a_stream_sends_only_what_its_key_sees_also_what_it_missed(
    keyed: Api, tables: Client
) -> None:
    new = fresh()
    streams = [sent(keyed, "stream", key) for key in (SOME, OTHER, ME)]
    seen = [next(stream)["id"] for stream in streams]
    insert(tables, [(symbol, 1.0, 1, 0, new + n) for n, symbol in enumerate("ABCA")])
    some, other, everything = [("A", new), ("B", new + 1), ("A", new + 3)], [("C", new + 2)], 4
    found = [rows(next(stream)) for stream in streams]
    assert (found[0], found[1], len(found[2])) == (some, other, everything)
    for identity in seen:
        # Another's id tells where to begin, not what to send.
        assert rows(next(sent(keyed, "stream", SOME, identity))) == some
        assert rows(next(sent(keyed, "stream?symbols=B", SOME, identity))) == [("B", new + 1)]


def test_what_is_followed_is_narrowed(keyed: Api, tables: Client) -> None:
    stream, whole = sent(keyed, "latest", SOME), sent(keyed, "latest", ME)
    tag = next(whole)["id"]
    for followed in (stream, sent(keyed, "latest", SOME, tag)):
        first = json.loads(next(followed)["data"])["data"]
        assert [row["symbol"] for row in first] == ["A", "B"]
    insert(tables, [("C", 99.0, 1, 99, 99), ("B", 98.0, 1, 99, 100)])
    second = json.loads(next(stream)["data"])["data"]
    assert [row["symbol"] for row in second] == ["A", "B"]
    for path in ("latest?symbols=C", "without", "stream?symbols=A,C", "default_c"):
        answer = keyed.get(f"/api/{path}", headers={**SOME, **EVENTS})
        assert answer.status_code == 403, path
        head = keyed.client.head(f"/api/{path}", headers={**SOME, **EVENTS})
        assert head.status_code == 403


def test_a_key_is_its_own_whatever_else_is_sent(keyed: Api) -> None:
    some = SOME["authorization"]
    for value in (some.replace("Bearer ", "bearer  "), some.replace("Bearer", "BEARER")):
        assert symbols(keyed, "latest", {"authorization": value}) == {"A", "B"}
    for value in ("Bearer", f"{some}x", some[:-1], f"{some}, {ME['authorization']}"):
        assert keyed.get("/api/latest", headers={"authorization": value}).status_code == 401
    for path in ("/static/../api/latest", "/static/%2e%2e/api/latest", "/docs/../api/latest",
                 "/assets//../../api/latest", "//api/latest", "/health/../api/latest"):  # fmt: skip
        answer = keyed.get(httpx.URL(f"http://127.0.0.1:{keyed.port}", raw_path=path.encode()))
        assert answer.status_code in (401, 404), path
    assert keyed.get("/api/latest?key=some-some-some-some").status_code == 401


def test_a_rate_is_kept_and_says_when_to_go_on(keyed: Api) -> None:
    got = [keyed.get("/api/latest", headers=THREE).status_code for _ in range(3)]
    assert got == [200, 200, 200]
    over = keyed.get("/api/symbols", headers=THREE)
    assert (over.status_code, over.json()["title"]) == (429, "Too Many Requests")
    assert over.json()["detail"] == "This key may ask 3/hour; wait."
    assert 3500 < int(over.headers["retry-after"]) <= 3600
    # Each key has its own count, and pages have none.
    assert keyed.get("/api/latest", headers=SOME).status_code == 200
    for path in ("/health", "/", "/docs"):
        for _ in range(3):
            assert keyed.get(path, headers=SECOND).status_code != 429
    # Events are counted, too.
    with keyed.at_once("/api/latest", 3, {**SECOND, **EVENTS}) as answers:
        found = sorted((answer.status, answer.headers["retry-after"]) for answer in answers)
    assert found == [(200, None), (200, None), (429, "1")]
    time.sleep(1.1)
    assert keyed.get("/api/latest", headers=SECOND).status_code == 200


def test_many_at_once_do_not_get_round_a_rate(keyed: Api) -> None:
    with ThreadPoolExecutor(10) as pool:
        found = [*pool.map(lambda _: keyed.get("/openapi.json", headers=CROWD), range(30))]
    codes = [answer.status_code for answer in found]
    assert (codes.count(200), codes.count(429)) == (3, 27)


WRONG = {
    "{me: 0123456789-s3cret}": "Expected `object`, got `str`",
    "{me: {key: 0123456789-s3cret, only: {symbol: [A]}}}": (
        "api.keys.me.only: no endpoint has a parameter symbol; did you mean symbols?"
    ),
    "{me: {key: 0123456789-s3cret, only: {symbols: [aapl]}}}": (
        "api.keys.me.only: symbols is never 'aapl'; each value must be a list, each text"
    ),
    "{me: {key: 0123456789-s3cret}, you: {key: 0123456789-s3cret}}": (
        "api.keys: me and you have one key; give each its own."
    ),
}


@pytest.mark.parametrize(("text", "fact"), WRONG.items())
def test_a_wrong_entry_is_refused_at_start_and_no_key_is_shown(
    make_api: Callable[..., Api], server: Server, text: str, fact: str
) -> None:
    ended = make_api(api__keys=text).run()
    assert ended.returncode == 2, ended.stderr
    assert fact in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert "s3cret" not in ended.stderr + ended.stdout


def test_the_log_holds_no_key(keyed: Api) -> None:
    for key, path in product((ME, SOME, THREE), ("latest", "none", "without", "latest?x=1")):
        keyed.get(f"/api/{path}", headers=key)
    said = keyed.said()
    assert not [key for key in (ME, SOME, THREE) if key["authorization"][7:] in said]
    assert Path(keyed.log).stat().st_size < 1000
