"""The real API in a process of its own, over a copy of sql/."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import httpx
from clickhouse_connect.driver.client import Client

from lib import clickhouse, migrations, ports, sqlfiles
from lib.processes import end_with_parent
from lib.settings import ClickHouse
from tests.conftest import ROOT, Server, wait_until

DAY = datetime(2024, 1, 30, tzinfo=UTC)
COLUMNS = [
    "symbol", "price", "volume", "timestamp",
    "kafka_partition", "kafka_offset", "kafka_timestamp", "inserted_by",
]  # fmt: skip


class Api:
    """`python -m api` on a free port; `sql` is the folder that it serves."""

    def __init__(self, folder: Path, store: ClickHouse, **settings: Any) -> None:
        self.folder = folder
        self.sql = folder / "sql" / "api"
        if not self.sql.exists():
            shutil.copytree(ROOT / "sql", folder / "sql")
        # Generous, so that a slow machine does not look like a slow client or ClickHouse.
        patient = {"api__timeout": 90, "api__head_timeout": 90}
        values = {"api__port": ports.free(1)[0], **patient, **settings}
        own = {f"MILLRACE_{name.upper()}": str(value) for name, value in values.items()}
        self.environ = {
            **os.environ,
            "MILLRACE_SQL_DIR": str(folder / "sql"),
            "MILLRACE_CLICKHOUSE__PORT": str(store.port),
            **own,
        }
        self.port = int(self.environ["MILLRACE_API__PORT"])
        self.log = folder / "api.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=90)

    def start(self, *options: str) -> None:
        """Start it and return when it prints its address; then it must accept connections."""
        with self.log.open("ab") as log:
            begin = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "api", *options],
                cwd=ROOT, env=self.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=end_with_parent,
            )  # fmt: skip
        wait_until(lambda: self._has_printed(b" endpoints at ", begin), 120)
        try:
            self.get("/health", headers={"host": "localhost"})
        except httpx.TransportError as error:
            raise AssertionError(
                f"refused a connection after printing its address: {self.log_text()}"
            ) from error

    @contextmanager
    def running(self) -> Iterator["Api"]:
        """Run it during the block."""
        try:
            self.start()
            yield self
        finally:
            self.stop()

    def _has_printed(self, text: bytes, begin: int) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log_text()
        return text in self.log.read_bytes()[begin:]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m api <arguments>` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "api", *arguments],
            cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=150,
        )  # fmt: skip

    def get(self, path: str | httpx.URL, **options: Any) -> httpx.Response:
        return self.client.get(path, **options)

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """The rows of an answer, which must be 200."""
        answer = self.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["data"])

    def health(self, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """The answer of /health once it reports that ClickHouse is up."""
        return self._answer_with("/health", '"clickhouse":"up"', headers)

    def metrics(self) -> str:
        """The text of /metrics once it reports that ClickHouse is up."""
        return self._answer_with("/metrics", "millrace_clickhouse_up 1.0").text

    def _answer_with(
        self, path: str, sign: str, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """An answer that contains the sign; on a busy machine, ClickHouse may be unavailable for a
        while."""
        answers: list[httpx.Response] = []

        def has_sign() -> bool:
            answers.append(self.get(path, headers=headers))
            return sign in answers[-1].text

        wait_until(has_sign)
        return answers[-1]

    @contextmanager
    def at_once(
        self, path: str, count: int, headers: Mapping[str, str] | None = None
    ) -> Iterator[list[HTTPResponse]]:
        """The answers to equal concurrent requests: the process is stopped until all are sent."""
        assert self._process is not None
        with ExitStack() as held:
            connections = [HTTPConnection("127.0.0.1", self.port, timeout=90) for _ in range(count)]
            for connection in connections:
                held.enter_context(closing(connection))
            self._process.send_signal(signal.SIGSTOP)
            try:
                for connection in connections:
                    connection.request("GET", path, headers=headers or {})
            finally:
                self._process.send_signal(signal.SIGCONT)
            yield [held.enter_context(connection.getresponse()) for connection in connections]

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def memory(self) -> int:
        """Resident bytes."""
        assert self._process is not None
        text = Path(f"/proc/{self._process.pid}/statm").read_text()
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> int:
        """End it as a user would; return the exit status."""
        self.client.close()
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(90)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise


def migrated(server: Server) -> Client:
    """A client of a server, after the migrations."""
    client = clickhouse.connect(server.settings, compress=False)
    migrations.migrate(client, "stocks", sqlfiles.load(ROOT / "sql" / "clickhouse"), print)
    return client


def walk(api: Api, path: str, **params: object) -> Iterator[list[dict[str, object]]]:
    """Each page, by its cursor."""
    cursor: dict[str, str] = {}
    while True:
        answer = api.get(path, params={**params, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page["data"]
        if page["next"] is None:
            return
        cursor = {"cursor": page["next"]}


def insert(client: Client, ticks: Iterable[tuple[str, float, int, float, int]]) -> None:
    """Store ticks: symbol, price, volume, seconds since DAY, offset."""
    rows = [
        [symbol, price, volume, DAY + timedelta(seconds=seconds), 0, offset, DAY, "test"]
        for symbol, price, volume, seconds, offset in ticks
    ]
    client.insert("stocks.ticks", rows, column_names=COLUMNS)
