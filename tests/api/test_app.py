"""Routing: endpoints, caching headers, and errors as problem details."""

from collections.abc import Callable

from clickhouse_connect.driver.client import Client

from tests.api.keyed import ME, SOME, refused, symbols
from tests.api.sql_texts import MOST_TICKS
from tests.api.support import Api, insert


def test_a_new_file_is_an_endpoint_with_its_description(
    make_api: Callable[..., Api], tables: Client
) -> None:
    api = make_api()
    (api.sql / "most_ticks.sql").write_text(MOST_TICKS)
    api.start()
    insert(tables, [("A", 1.0, 1, 0, 0), ("B", 1.0, 1, 0, 1), ("B", 1.0, 1, 1, 2)])
    assert api.rows("/api/most_ticks", min_count=2) == [{"symbol": "B", "ticks": "2"}]
    refused = api.get("/api/most_ticks?min_count=-1")
    assert refused.json() == {
        "type": "about:blank", "title": "Bad Request", "status": 400,
        "detail": "min_count is '-1'; it takes a whole number from 0 to 4294967295, at least 0.",
        "parameter": "min_count", "takes": "a whole number from 0 to 4294967295, at least 0",
    }  # fmt: skip
    paths = api.get("/openapi.json").json()["paths"]
    assert paths["/api/most_ticks"]["get"]["parameters"][0] == {
        "name": "min_count", "in": "query", "required": False,
        "description": "How many ticks at least.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 4294967295, "default": 1},
    }  # fmt: skip


def test_an_unknown_endpoint_lists_the_existing_ones(api: Api) -> None:
    for path in ("/api/latst", "/api", "/api/latest/x"):
        answer = api.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert "/api/latest" in answer.json()["endpoints"]


def test_other_methods_are_refused(api: Api) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
        answer = api.client.request(method, "/api/latest")
        assert answer.status_code == 405, method
        assert "GET" in answer.headers["allow"]
        assert answer.json()["status"] == 405
    assert api.client.head("/api/latest").status_code == 200
    assert api.client.post("/api/latest", content=b"x" * 2_000_000).status_code == 413


def test_an_unchanged_answer_is_304_without_a_body(api: Api, tables: Client) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    first = api.get("/api/latest")
    assert first.headers["cache-control"] == "no-cache"
    tag = {"if-none-match": first.headers["etag"]}
    again = api.get("/api/latest", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    insert(tables, [("A", 2.0, 1, 1, 1)])
    assert api.get("/api/latest", headers=tag).status_code == 200


def test_an_etag_reveals_nothing_beyond_the_restrictions_of_a_key(
    keyed: Api, tables: Client
) -> None:
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
