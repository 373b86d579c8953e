"""Fixtures that need a real ClickHouse: the embedded one, in a process and a folder of its own."""

import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from lib import clickhouse as connections
from lib import java, ports
from lib.processes import end_with_parent
from lib.settings import ClickHouse
from lib.waiting import until

ROOT = Path(__file__).resolve().parent.parent
_numbers = count(1)

# As in the Makefile: the programs that tests start would compile what they import, at each start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Nor are the JARs' classes verified again at each start. A test of tests/e2e/test_demo.py starts
# Java as a user does.
_UNVERIFIED = "-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
os.environ.setdefault("JAVA_TOOL_OPTIONS", f"{java.SHORT_LIVED} {_UNVERIFIED}")

# Tests that run in several processes never ask for the same port.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
ports.FREE = ports.FREE[_WORKER % 4 :: 4]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first: else one process ends alone, long after the other."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)


class Server:
    """The embedded server over one folder; it can be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        port = ports.free(1)[0]
        self.settings = ClickHouse("127.0.0.1", port, "stocks", "default", "", "reader", "")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "local.clickhouse", "--path", str(self.folder)]
        # The signal comes when the thread ends that started it, so not for one of a test's threads.
        is_main = threading.current_thread() is threading.main_thread()
        self._process = subprocess.Popen(
            [*command, "--port", str(self.settings.port)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            preexec_fn=end_with_parent if is_main else None,
        )
        assert until(self._answers, 120), "the embedded ClickHouse does not answer"

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        assert self._process and self._process.poll() is None, "the embedded ClickHouse ended"
        try:
            with urllib.request.urlopen(f"http://{self.settings.address}/ping", timeout=5):
                return True
        except OSError:
            return False


def wait_until(is_true: Callable[[], Any], seconds: float = 90) -> None:
    """Return as soon as it is true; generous, for a machine may be slow."""
    assert until(is_true, seconds, pause=0.05), "waited in vain"


class Held:
    """Numbers from 0 to 9 for ClickHouse's url(), which are there once the test lets go of them:
    a query that reads them runs for as long as it should."""

    def __init__(self) -> None:
        released = self._released = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.send_response(200)
                self.end_headers()

            def do_GET(self) -> None:
                released.wait()
                self.do_HEAD()
                self.wfile.write(b"".join(b"%d\n" % number for number in range(10)))

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.05])
        self._thread.start()

    @property
    def rows(self) -> str:
        """What a query selects from: one column, a."""
        return f"url('http://127.0.0.1:{self._server.server_port}/', 'CSV', 'a Int64')"

    def let_go(self) -> None:
        self._released.set()

    def close(self) -> None:
        self.let_go()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def held() -> Iterator[Held]:
    found = Held()
    yield found
    found.close()


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A server over a folder, running, which ends with the block."""
    server = Server(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


class FakeTime:
    """In the place of the module `time`: the clock goes on only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    """Where the session's ClickHouse answers; each test makes a database of its own in it."""
    with serving(tmp_path_factory.mktemp("clickhouse") / "data") as server:
        yield server.settings


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, running, for it to kill and start."""
    with serving(tmp_path / "data") as server:
        yield server


@pytest.fixture
def client(clickhouse: ClickHouse) -> Iterator[Client]:
    client = connections.connect(clickhouse, compress=False)
    yield client
    client.close()


@pytest.fixture
def database(client: Client) -> str:
    """The name of a new, empty database."""
    name = f"test_{next(_numbers)}"
    client.command(f"CREATE DATABASE {name}")
    return name
