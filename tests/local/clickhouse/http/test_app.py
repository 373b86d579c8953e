"""Paths, methods, and which hosts and origins are served."""

import pytest

from tests.local.clickhouse.conftest import Embedded


@pytest.mark.parametrize("path", ["ping", "replicas_status", ""])
def test_health(server: Embedded, path: str) -> None:
    assert server.http.get(server.url + path).text == "Ok.\n"


def test_an_unknown_path_is_404(server: Embedded) -> None:
    for path in ("foo", "foo/é"):
        answer = server.http.get(server.url + path)
        assert answer.status_code == 404
        assert answer.text.startswith(f"There is no handle /{path}\n") and answer.text[-1] == "\n"
    assert server.http.put(server.url).status_code == 404


def test_head_and_options(server: Embedded) -> None:
    head = server.http.head(server.url, params={"query": "SELECT 1"})
    assert (head.status_code, head.content) == (200, b"")
    assert server.http.options(server.url).status_code == 204


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_web_pages_are_refused(server: Embedded, headers: dict[str, str]) -> None:
    assert server.http.post(server.url, content="SELECT 1", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "host", ["127.evil.example", "localhost.evil.example", "[::1].evil.example"]
)
def test_names_that_only_begin_like_loopback_are_refused(server: Embedded, host: str) -> None:
    assert (
        server.http.post(server.url, content="SELECT 1", headers={"Host": host}).status_code == 403
    )
