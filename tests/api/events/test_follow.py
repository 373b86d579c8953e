"""Followed endpoints: the answer again at each change."""

import json

from clickhouse_connect.driver.client import Client

from tests.api.keyed import ME, SOME
from tests.api.listening import EVENTS, events_for, listening
from tests.api.support import Api, insert


def test_an_answer_is_sent_again_when_it_changes(api: Api, tables: Client) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    with listening(api, "/api/latest?symbols=A") as stream:
        first = next(stream)
        assert json.loads(first["data"]) == api.get("/api/latest?symbols=A").json()
        insert(tables, [("B", 1.0, 1, 1, 1)])
        insert(tables, [("A", 2.0, 1, 1, 2)])
        # The answer is sent again after a problem too, which a busy machine may cause.
        second = next(event for event in stream if '"price":2,' in event["data"])
        assert json.loads(second["data"])["data"][0]["price"] == 2
    with listening(api, "/api/latest?symbols=A", **{"last-event-id": second["id"]}) as stream:
        insert(tables, [("A", 3.0, 1, 2, 3)])
        assert json.loads(next(stream)["data"])["data"][0]["price"] == 3


def test_a_followed_answer_respects_the_restrictions_of_a_key(keyed: Api, tables: Client) -> None:
    stream, whole = events_for(keyed, "latest", SOME), events_for(keyed, "latest", ME)
    tag = next(whole)["id"]
    for followed in (stream, events_for(keyed, "latest", SOME, tag)):
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
