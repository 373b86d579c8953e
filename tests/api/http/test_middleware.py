"""Checks before the application: hosts, keys, headers, HTTP versions."""

import re
import socket
from collections.abc import Callable
from itertools import product
from pathlib import Path

import httpx
import pytest
from clickhouse_connect.driver.client import Client

from tests.api.keyed import LOGGED, ME, SOME, symbols
from tests.api.support import Api


def test_security_headers_are_everywhere_and_other_origins_are_refused(api: Api) -> None:
    for path in ("/api/latest", "/nothing", "/api/latest?x=1", "/health"):
        headers = api.get(path, headers={"origin": "http://evil.example"}).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "'unsafe-inline'" not in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers
    assert api.get("/api/latest", headers={"host": "evil.example"}).status_code == 403


def test_a_request_needs_a_key(make_api: Callable[..., Api]) -> None:
    api = make_api(api__keys="{me: {key: 0123456789abcdef}}")
    api.start()
    refused = api.get("/api/latest")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    for value in ("Bearer wrong", "0123456789abcdef", "Bearer 0123456789abcde", "Basic x"):
        assert api.get("/api/latest", headers={"authorization": value}).status_code == 401
    key = {"authorization": "Bearer 0123456789abcdef", "host": "elsewhere"}
    assert api.get("/api/latest", headers=key).status_code == 200
    assert api.get("/health").status_code != 401


def test_only_the_exact_key_is_accepted(keyed: Api) -> None:
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


def test_the_log_contains_no_key(keyed: Api) -> None:
    for key, path in product((ME, SOME, LOGGED), ("latest", "none", "without", "latest?x=1")):
        keyed.get(f"/api/{path}", headers=key)
    log = keyed.log_text()
    assert not [key for key in (ME, SOME, LOGGED) if key["authorization"][7:] in log]
    assert Path(keyed.log).stat().st_size < 1000


@pytest.mark.parametrize(
    ("version", "status"), [(b"1.0", b"200"), (b"1.2", b"200"), (b"2.0", b"505"), (b"9.9", b"505")]
)
def test_another_major_version_of_http_is_refused(
    api: Api, tables: Client, version: bytes, status: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=90) as raw:
        raw.sendall(b"GET /api/latest HTTP/%b\r\nHost: localhost\r\n\r\n" % version)
        assert raw.recv(100).startswith(b"HTTP/1.1 %b " % status)


def test_the_content_security_policy_allows_nothing_inline_or_from_elsewhere(api: Api) -> None:
    text = api.get("/docs").headers["content-security-policy"]
    policy = dict(part.strip().split(" ", 1) for part in text.split(";"))
    assert policy["default-src"] == "'none'"
    for name in ("script-src", "style-src", "connect-src"):
        assert policy[name] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert not re.search(r"unsafe|https?:|\*", text)
