"""A file, a table and an address that an attack by the user `reader` could reach."""

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.local.clickhouse.conftest import Embedded


class Trap(http.server.BaseHTTPRequestHandler):
    """Counts the requests that reach it."""

    reached = 0

    def do_GET(self) -> None:
        Trap.reached += 1
        self.send_error(500)

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def trap() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Trap)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    (folder / "secret.csv").write_text("TOPSECRET,2\n")
    return folder


@pytest.fixture(scope="module")
def guarded(server: Embedded) -> Iterator[None]:
    server.sql("CREATE TABLE guarded (a Int64) ENGINE = MergeTree ORDER BY a")
    server.sql("INSERT INTO guarded VALUES (42)")
    yield
    server.sql("DROP TABLE guarded SYNC")


def state(server: Embedded) -> str:
    """Everything an attack could have changed."""
    return server.sql(
        "SELECT (SELECT groupArray(a) FROM guarded),"
        " (SELECT arraySort(groupArray((database, name, total_rows))) FROM system.tables"
        "  WHERE database != 'system'),"
        " (SELECT groupArray(name) FROM system.databases),"
        " (SELECT groupArray(name) FROM system.columns WHERE table = 'guarded'),"
        " (SELECT groupArray(name) FROM system.functions WHERE origin != 'System')"
    )


@pytest.fixture
def assert_refused(
    server: Embedded, guarded: None, folder: Path, trap: str
) -> Callable[[str, str], None]:
    """Sends an attack in one of three ways, and asserts that it is an error without effect."""

    def assert_refused(attack: str, way: str) -> None:
        sql = attack.format(
            folder=folder, secret=folder / "secret.csv", address=trap, url=f"http://{trap}/bucket/x"
        )
        before = state(server)
        params = {"session_id": "attack"} if way == "session" else {}
        if way == "address":
            response = server.http.get(server.url, params={"query": sql, "user": "reader"})
        else:
            response = server.post(sql, reader=True, **params)
        assert response.status_code >= 400, response.text
        assert "TOPSECRET" not in response.text
        assert state(server) == before
        assert [file.name for file in folder.iterdir()] == ["secret.csv"]
        assert Trap.reached == 0

    return assert_refused
