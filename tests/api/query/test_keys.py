"""Keys that may read only some values, and attempts to get around it."""

import csv
import io
import json
import time
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.api.keyed import CROWD, ME, OTHER, SECOND, SOME, THREE, refused, symbols
from tests.api.listening import EVENTS
from tests.api.support import Api

RESTRICTED = ["latest", "recent", "stats", "symbols", "history?symbols=A,B", "candles?symbols=A,B"]


@pytest.mark.parametrize("way", ["whole", "head"])
def test_a_key_reads_its_own_values_and_all_of_them_by_default(keyed: Api, way: str) -> None:
    for path in RESTRICTED:
        if way == "head":
            assert keyed.client.head(f"/api/{path}", headers=SOME).status_code == 200
            continue
        assert symbols(keyed, path, SOME) == {"A", "B"}, path
    assert symbols(keyed, "latest", ME) >= {"A", "B", "C"}
    assert symbols(keyed, "latest", OTHER) == {"C"}
    assert symbols(keyed, "latest?symbols=B", SOME) == {"B"}
    # A required parameter stays required.
    assert keyed.get("/api/history", headers=SOME).status_code == 400


def test_other_values_are_refused_with_the_allowed_ones(keyed: Api) -> None:
    assert refused(keyed, "/api/latest?symbols=A,C") == {
        "type": "about:blank", "title": "Forbidden", "status": 403,
        "detail": "symbols: this key may read only A, B.",
        "parameter": "symbols", "takes": ["A", "B"],
    }  # fmt: skip
    for path in (path.partition("?")[0] for path in RESTRICTED):
        assert refused(keyed, f"/api/{path}?symbols=C")["takes"] == ["A", "B"]


@pytest.mark.parametrize(
    "query",
    [
        "symbols=C", "symbols=A&symbols=C", "symbols=C&symbols=A", "symbols=A,C", "symbols=C,A,B",
        "symbols=A%2CC", "symbols=%43", "sym%62ols=C", "symbols=D", "symbols=A.C",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["latest", "recent", "stream"])
def test_no_spelling_of_a_value_gets_around_a_restriction(
    keyed: Api, name: str, query: str
) -> None:
    assert refused(keyed, f"/api/{name}?{query}")["parameter"] == "symbols"
    assert keyed.client.head(f"/api/{name}?{query}", headers=SOME).status_code == 403


@pytest.mark.parametrize("query", ["symbols=A%2cC&symbols=A", "symbols=A&symbols=A,C"])
def test_a_comma_in_a_repeated_value_does_not_get_around_a_restriction(
    keyed: Api, query: str
) -> None:
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
def test_an_empty_or_malformed_value_never_means_all(keyed: Api, query: str) -> None:
    for name in ("latest", "recent", "stream", "symbols", "loose", "listed_c", "nullable"):
        answer = keyed.get(f"/api/{name}?{query}", headers=SOME)
        assert answer.status_code in (400, 403), (name, answer.text)


def test_a_single_value_must_be_allowed_even_as_a_default(keyed: Api) -> None:
    assert symbols(keyed, "one?symbols=A", SOME) == {"A"}
    assert symbols(keyed, "default_a", SOME) == {"A"}
    assert symbols(keyed, "nullable?symbols=B", SOME) == {"B"}
    for path in ("one?symbols=C", "default_c", "default_a?symbols=C", "nullable"):
        assert refused(keyed, f"/api/{path}")["parameter"] == "symbols"
    assert keyed.get("/api/one", headers=SOME).status_code == 400
    # The allowed values replace a default list of values that are not allowed.
    assert symbols(keyed, "listed_c", SOME) == symbols(keyed, "loose", SOME) == {"A", "B"}
    # A parameter with the same name, for which no allowed value is valid.
    for path in ("number", "number?symbols=0"):
        assert refused(keyed, f"/api/{path}")["parameter"] == "symbols"


def test_an_endpoint_that_cannot_be_restricted_is_refused(keyed: Api) -> None:
    detail = "This key may read only some symbols, and /api/without cannot be restricted to them."
    assert refused(keyed, "/api/without")["detail"] == detail
    for path in ("/api/without?symbols=A", "/api/health", "/metrics", "//metrics", "/metrics/"):
        address = httpx.URL(f"http://127.0.0.1:{keyed.port}", raw_path=path.encode())
        refused(keyed, address)
        assert keyed.get(address, headers=ME).status_code in (200, 400)
    assert keyed.get("/health").status_code not in (401, 403)


def test_every_format_is_restricted(keyed: Api) -> None:
    def bytes_of(fmt: str) -> bytes:
        answer = keyed.get(f"/api/recent?format={fmt}", headers=SOME)
        assert answer.status_code == 200
        assert keyed.get(f"/api/recent?format={fmt}&symbols=C", headers=SOME).status_code == 403
        return answer.content

    lines = [json.loads(line)["symbol"] for line in bytes_of("ndjson").splitlines()]
    table = [row["symbol"] for row in csv.DictReader(io.StringIO(bytes_of("csv").decode()))]
    arrow = pa.ipc.open_stream(bytes_of("arrow")).read_all().column("symbol").to_pylist()
    parquet = pq.read_table(io.BytesIO(bytes_of("parquet"))).column("symbol").to_pylist()
    for column in (lines, table, arrow, parquet):
        assert sorted(column) == ["A"] * 8 + ["B"] * 8


def test_a_cursor_never_lifts_a_restriction(keyed: Api) -> None:
    """Neither a cursor of the key itself, nor of an unrestricted key, nor a forged one."""
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


def test_a_request_beyond_the_rate_is_429_with_retry_after(keyed: Api) -> None:
    codes = [keyed.get("/api/latest", headers=THREE).status_code for _ in range(3)]
    assert codes == [200, 200, 200]
    over = keyed.get("/api/symbols", headers=THREE)
    assert (over.status_code, over.json()["title"]) == (429, "Too Many Requests")
    assert over.json()["detail"] == "The rate limit of this key is 3/hour; wait."
    assert 3500 < int(over.headers["retry-after"]) <= 3600
    # Each key has its own limit, and pages have none.
    assert keyed.get("/api/latest", headers=SOME).status_code == 200
    for path in ("/health", "/", "/docs"):
        for _ in range(3):
            assert keyed.get(path, headers=SECOND).status_code != 429
    # Requests for events count too.
    with keyed.at_once("/api/latest", 3, {**SECOND, **EVENTS}) as answers:
        limited = sorted((answer.status, answer.headers["retry-after"]) for answer in answers)
    assert limited == [(200, None), (200, None), (429, "1")]
    time.sleep(1.1)
    assert keyed.get("/api/latest", headers=SECOND).status_code == 200


def test_concurrent_requests_do_not_get_around_a_rate(keyed: Api) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = [*pool.map(lambda _: keyed.get("/openapi.json", headers=CROWD), range(30))]
    codes = [answer.status_code for answer in answers]
    assert (codes.count(200), codes.count(429)) == (3, 27)
