"""The parts of a query that follow from its user, method and settings."""

import pytest

from local.clickhouse.request.parse import Request, parse_query
from local.clickhouse.request.query import Query


def query(method: str = "POST", body: bytes = b"SELECT 1", **params: str) -> Query:
    return parse_query(Request(method, "/", params, {}, (body,)))


@pytest.mark.parametrize(
    ("method", "setting", "readonly"),
    [("POST", None, "0"), ("POST", "1", "1"), ("GET", None, "2"), ("GET", "1", "1")],
)
def test_a_get_only_reads(method: str, setting: str | None, readonly: str) -> None:
    settings = {"readonly": setting} if setting else {}
    assert query(method, **settings).readonly == readonly


@pytest.mark.parametrize(("user", "settings"), [("default", {"a"}), ("reader", {"a", "b"})])
def test_settings_of_the_interface_reach_the_engine_only_from_a_reader(
    user: str, settings: set[str]
) -> None:
    names = {"a": "max_threads", "b": "enable_http_compression"}
    sent = dict.fromkeys(names.values(), "1")
    assert query(user=user, **sent).engine_settings.keys() == {names[key] for key in settings}


@pytest.mark.parametrize(
    ("body", "params", "takes_data", "text"),
    [
        (b"INSERT INTO t FORMAT CSV\n1", {}, True, b"INSERT INTO t "),
        (b"INSERT INTO t\n1", {"default_format": "CSV"}, True, b"INSERT INTO t\n1"),
        (b"INSERT INTO t SELECT 1", {}, False, b"INSERT INTO t SELECT 1"),
        (b"INSERT INTO t", {}, False, b"INSERT INTO t"),
    ],
)
def test_the_text_of_an_insert_is_without_its_rows(
    body: bytes, params: dict[str, str], takes_data: bool, text: bytes
) -> None:
    insert = query(body=body, **params)
    assert (insert.takes_data, insert.text) == (takes_data, text)


def test_each_query_has_a_mark_of_its_own() -> None:
    assert query().mark != query().mark
