"""A real embedded ClickHouse in a process of its own, on a free port, over a temporary folder."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.client import Client

from lib import ports
from lib.processes import end_with_parent
from lib.waiting import until

ROOT = Path(__file__).resolve().parents[3]
READER = {"X-ClickHouse-User": "reader"}


def command(path: Path, port: int, *more: str) -> list[str]:
    main = [sys.executable, "-m", "local.clickhouse"]
    return [*main, "--path", str(path), "--port", str(port), *more]


class Embedded:
    """One server process; `stop` and `kill` end it, and so does the end of the fixture."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.port = ports.free(1)[0]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.log = path.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(timeout=90)

    def start(self) -> "Embedded":
        self.http.close()
        self.http = httpx.Client(timeout=90)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command(self.path, self.port),
                cwd=ROOT,
                env={**os.environ, "TZ": "Asia/Tokyo"},
                stderr=log,
                stdout=log,
                preexec_fn=end_with_parent,
            )
        assert until(self._answers, 120, pause=0.05), self.log.read_text()
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        with suppress(httpx.TransportError):
            return self.http.get(self.url + "ping").text == "Ok.\n"
        return False

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(90)

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(90)

    def end(self) -> None:
        self.http.close()
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def post(self, sql: str | bytes, *, reader: bool = False, **params: Any) -> httpx.Response:
        """Send SQL in a body and return the response, whatever its status."""
        headers = READER if reader else {}
        return self.http.post(self.url, params=params, content=sql, headers=headers)

    def sql(self, sql: str | bytes, **params: Any) -> str:
        """Run SQL that must succeed, and return its answer."""
        response = self.post(sql, **params)
        assert response.status_code == 200, response.text
        return response.text.strip()

    def client(self, **options: Any) -> Client:
        return clickhouse_connect.get_client(host="127.0.0.1", port=self.port, **options)


def code_of(response: httpx.Response) -> int | None:
    """The code of the error that a response reports, if it does."""
    code = response.headers.get("X-ClickHouse-Exception-Code")
    return None if code is None else int(code)


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run() -> Run:
    """Runs the program to its end, for starts that must fail."""

    def run(path: Path, port: int, *more: str) -> subprocess.CompletedProcess[str]:
        line = command(path, port, *more)
        return subprocess.run(
            line, cwd=ROOT, capture_output=True, text=True, timeout=150, preexec_fn=end_with_parent
        )

    return run


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """A server shared by the tests that leave it running."""
    embedded = Embedded(tmp_path_factory.mktemp("clickhouse") / "data")
    try:
        yield embedded.start()
    finally:
        embedded.end()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Embedded]:
    """A server of the test's own, not yet started."""
    embedded = Embedded(tmp_path / "data")
    try:
        yield embedded
    finally:
        embedded.end()


@pytest.fixture
def table(server: Embedded) -> Iterator[str]:
    """An empty table (a Int64, b String) with a deduplication window."""
    server.sql("DROP TABLE IF EXISTS rows SYNC")
    server.sql(
        "CREATE TABLE rows (a Int64, b String DEFAULT 'none') ENGINE = MergeTree ORDER BY a "
        "SETTINGS non_replicated_deduplication_window = 100"
    )
    yield "rows"
    server.sql("DROP TABLE rows SYNC")
