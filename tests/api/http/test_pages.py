"""The pages and what they load: types, caching, compression, and paths that are not served."""

import socket
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from api.http import static_files
from tests.api.support import Api

TYPES = {
    "/docs": "text/html; charset=utf-8",
    "/static/docs.html": "text/html; charset=utf-8",
    "/static/docs.js": "text/javascript; charset=utf-8",
    "/assets/echarts.esm.min.js": "text/javascript; charset=utf-8",
    "/assets/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "/assets/swagger-ui.css": "text/css; charset=utf-8",
}
NOTHING = [
    "/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/../../README.md",
    "/static//etc/passwd", "/static/%2fetc/passwd", "/static/docs.html%00", "/static/%00",
    "/static/.", "/static/", "/static/none.js", "/static/x/../docs.html",
    "/static/../api/latest", "/static/%5c..%5capp.py", "/static/%ff", "/assets/../app.py",
    "/assets/%2e%2e/app.py", "/assets/LICENSE", "/assets/swagger-ui.js", "/assets/", "/assets/a/b",
    "/docs/x", "/docs.html",
]  # fmt: skip


def ask(api: Api, path: str, *headers: str) -> tuple[int, str, str]:
    """Status, head and body of the answer to a path that no client normalizes."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
    with socket.create_connection(("127.0.0.1", api.port), timeout=90) as raw:
        raw.sendall("\r\n".join(lines).encode())
        with raw.makefile("rb") as stream:
            head, _, body = stream.read().decode(errors="replace").partition("\r\n\r\n")
    return int(head.split()[1]), head.lower(), body


@pytest.mark.parametrize(("path", "media_type"), TYPES.items())
def test_each_file_has_its_type_and_is_revalidated(api: Api, path: str, media_type: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", TYPES)
def test_an_unchanged_file_is_not_sent_again(api: Api, path: str) -> None:
    for encoding in ("gzip", "identity"):
        headers = {"accept-encoding": encoding}
        tag = api.get(path, headers=headers).headers["etag"]
        again = api.get(path, headers={**headers, "if-none-match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        other = api.get(path, headers={**headers, "if-none-match": '"other"'})
        assert other.status_code == 200


def test_a_file_is_compressed_for_clients_that_accept_it(api: Api) -> None:
    path = "/assets/echarts.esm.min.js"
    plain = api.get(path, headers={"accept-encoding": "identity"})
    packed = api.get(path, headers={"accept-encoding": "br, gzip;q=0.8"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert packed.headers["etag"] != plain.headers["etag"]
    for answer in (plain, packed):
        assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", TYPES)
def test_head_is_the_same_without_the_body(api: Api, path: str) -> None:
    full, head = api.get(path), api.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "content-encoding", "etag"):
        assert head.headers[name] == full.headers[name]


@pytest.mark.parametrize("path", NOTHING)
def test_nothing_else_is_served(api: Api, path: str) -> None:
    status, head, body = ask(api, path)
    assert status in (400, 404), body
    if status == 404:
        assert "content-type: application/problem+json" in head
        assert '"status":404' in body


def test_an_absolute_path_is_not_served(api: Api) -> None:
    status, _, _ = ask(api, f"/static/{static_files.FOLDER}/docs.html")
    assert status == 404


def test_other_methods_are_refused(api: Api) -> None:
    for path in TYPES:
        answer = api.client.delete(path)
        assert answer.status_code == 405
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_dashboard_is_the_index(api: Api) -> None:
    answer = api.get("/")
    assert answer.status_code == (200 if (static_files.FOLDER / "index.html").exists() else 404)


class Scripts(HTMLParser):
    """The addresses that a page loads, and its content that the policy forbids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.forbidden: list[str] = []
        self._is_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self._is_script = tag == "script"
        self.addresses += [named[name] or "" for name in ("src", "href") if name in named]
        self.forbidden += [name for name in named if name.startswith("on") or name == "style"]
        self.forbidden += ["style"] if tag == "style" else []

    def handle_data(self, data: str) -> None:
        if self._is_script and data.strip():
            self.forbidden.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._is_script = False


@pytest.mark.parametrize(
    "page", sorted(static_files.FOLDER.glob("*.html")), ids=lambda path: path.name
)
def test_a_page_has_nothing_inline_and_loads_only_local_files(api: Api, page: Path) -> None:
    answer = api.get(f"/static/{page.name}")
    scripts = Scripts(answer.text)
    assert scripts.forbidden == []
    assert scripts.addresses
    for address in scripts.addresses:
        assert address.startswith(("/", "data:", "#")), address
        assert not address.startswith("//"), address
        if address.startswith(("/static/", "/assets/")):
            assert api.get(address).status_code == 200, address


def test_with_keys_the_pages_need_none_and_the_data_does(make_api: Callable[..., Api]) -> None:
    api = make_api(api__keys="{me: {key: 0123456789abcdef}}")
    api.start()
    for path in TYPES:
        assert api.get(path).status_code == 200, path
    assert api.get("/").status_code in (200, 404)
    for path in ("/api/latest", "/openapi.json", "/metrics", "/none", "/staticx", "//docs"):
        assert ask(api, path)[0] == 401, path
    for path in NOTHING:
        status, _, body = ask(api, path)
        assert status in (400, 401, 404), path
        assert "/api/" not in body, path
