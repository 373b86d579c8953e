"""The pages and what they load: types, tags, packing, and that nothing else can be had."""

import re
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from api.http import assets, static_files
from api.http.metrics import label
from lib import jars
from lib.errors import SetupError
from tests.api.support import Api
from tests.conftest import ROOT

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
    """Status, head and body of an answer to a path that no client has tidied."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
    with socket.create_connection(("127.0.0.1", api.port), timeout=90) as raw:
        raw.sendall("\r\n".join(lines).encode())
        with raw.makefile("rb") as stream:
            head, _, body = stream.read().decode(errors="replace").partition("\r\n\r\n")
    return int(head.split()[1]), head.lower(), body


@pytest.mark.parametrize(("path", "media_type"), TYPES.items())
def test_each_file_has_its_type_and_is_asked_for_again(
    api: Api, path: str, media_type: str
) -> None:
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


def test_a_file_is_packed_for_those_who_unpack(api: Api) -> None:
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


@pytest.mark.parametrize(
    ("accepted", "packs"),
    [("gzip", True), ("deflate, GZIP ;q=0.5", True), ("gzip;q=1.0", True), ("", False),
     ("gzip;q=0", False), ("gzip; q=0.000, br", False), ("xgzip", False), ("br", False)],
)  # fmt: skip
def test_who_does_not_unpack_gets_it_plain(accepted: str, packs: bool) -> None:
    answer = static_files.answer(static_files.file("a.js", b"x" * 100), accepted, "")
    assert answer.headers.get("Content-Encoding") == ("gzip" if packs else None)


@pytest.mark.parametrize("path", TYPES)
def test_head_is_the_same_without_the_body(api: Api, path: str) -> None:
    full, head = api.get(path), api.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "content-encoding", "etag"):
        assert head.headers[name] == full.headers[name]


@pytest.mark.parametrize("path", NOTHING)
def test_nothing_else_can_be_had(api: Api, path: str) -> None:
    status, head, body = ask(api, path)
    assert status in (400, 404), body
    if status == 404:
        assert "content-type: application/problem+json" in head
        assert '"status":404' in body


def test_a_path_of_this_machine_is_no_file(api: Api) -> None:
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
    """The addresses a page loads, and what it holds that the policy forbids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.forbidden: list[str] = []
        self._is_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._is_script = tag == "script"
        self.addresses += [found[name] or "" for name in ("src", "href") if name in found]
        self.forbidden += [name for name in found if name.startswith("on") or name == "style"]
        self.forbidden += ["style"] if tag == "style" else []

    def handle_data(self, data: str) -> None:
        if self._is_script and data.strip():
            self.forbidden.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._is_script = False


@pytest.mark.parametrize(
    "page", sorted(static_files.FOLDER.glob("*.html")), ids=lambda path: path.name
)
def test_a_page_has_nothing_inline_and_loads_only_what_is_here(api: Api, page: Path) -> None:
    answer = api.get(f"/static/{page.name}")
    found = Scripts(answer.text)
    assert found.forbidden == []
    assert found.addresses
    for address in found.addresses:
        assert address.startswith(("/", "data:", "#")), address
        assert not address.startswith("//"), address
        if address.startswith(("/static/", "/assets/")):
            assert api.get(address).status_code == 200, address


def test_the_policy_lets_nothing_inline_and_nothing_from_elsewhere(api: Api) -> None:
    text = api.get("/docs").headers["content-security-policy"]
    policy = dict(part.strip().split(" ", 1) for part in text.split(";"))
    assert policy["default-src"] == "'none'"
    for name in ("script-src", "style-src", "connect-src"):
        assert policy[name] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert not re.search(r"unsafe|https?:|\*", text)


def test_with_keys_the_pages_are_open_and_the_data_is_not(make_api: Callable[..., Api]) -> None:
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


def test_pages_are_counted_under_few_names(api: Api) -> None:
    api.get("/docs")
    api.get("/static/none.js")
    api.get("/assets/none.js")
    text = api.get("/metrics").text
    assert 'millrace_api_requests_total{endpoint="docs",status="200"}' in text
    for name in ("static", "assets"):
        assert f'millrace_api_requests_total{{endpoint="{name}",status="404"}}' in text
    labels = [label(path, {"latest": None}) for path in ("/", "/docs", "/static/a/b.js", "/x")]
    assert labels == ["/", "docs", "static", "other"]


def test_an_edited_file_is_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static_files, "FOLDER", tmp_path)
    (tmp_path / "modules").mkdir()
    file = tmp_path / "modules" / "a.js"
    file.write_text("1")
    before = static_files.static("modules/a.js")
    assert before and before.plain[0] == b"1"
    file.write_text("22")
    after = static_files.static("modules/a.js")
    assert after and after.plain[0] == b"22"
    assert before.plain[1] != after.plain[1]
    (tmp_path / "notes.txt").write_text("x")
    assert [static_files.static(name) for name in ("notes.txt", "modules", "", "none.js")] == [
        None
    ] * 4


def test_a_damaged_jar_is_named(tmp_path: Path) -> None:
    jar = tmp_path / jars.asset_jar("echarts").relative_to(jars.FOLDER)
    jar.parent.mkdir()
    jar.write_bytes(b"cut")
    with pytest.raises(SetupError, match=r"echarts-.+\.jar: .+ delete the JAR, then run `make se"):
        assets.load(tmp_path)
    with zipfile.ZipFile(jar, "w"):
        pass
    with pytest.raises(SetupError, match=r"echarts\.esm\.min\.js cannot be read"):
        assets.load(tmp_path)


def test_without_the_jars_it_does_not_listen(tmp_path: Path) -> None:
    for name in ("api", "lib", "conf"):
        ignored = shutil.ignore_patterns("jars", "__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    run = subprocess.run(
        [sys.executable, "-m", "api"], cwd=tmp_path, capture_output=True, text=True, timeout=150
    )
    assert run.returncode == 2
    assert run.stdout == ""
    place = re.escape(str(tmp_path / "lib/jars/assets"))
    assert re.fullmatch(rf"{place}/echarts-.+\.jar: not found; run `make setup`\.\n", run.stderr)
