"""Fixtures that need a real ClickHouse: the embedded one, in a process and a folder of its own."""

import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from lib import clickhouse as connections
from lib import ports
from lib.processes import end_with_parent
from lib.settings import ClickHouse

ROOT = Path(__file__).resolve().parent.parent
_numbers = count(1)


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
        deadline = time.monotonic() + 50
        while not self._answers():
            assert self._process.poll() is None, "the embedded ClickHouse ended"
            assert time.monotonic() < deadline, "the embedded ClickHouse does not answer"
            time.sleep(0.1)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.settings.address}/ping", timeout=5):
                return True
        except OSError:
            return False


def wait_until(is_true: Callable[[], Any], seconds: float = 50) -> None:
    """Return as soon as it is true; generous, for a machine may be slow."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    """Where the session's ClickHouse answers; each test makes a database of its own in it."""
    server = Server(tmp_path_factory.mktemp("clickhouse") / "data")
    try:
        server.start()
        yield server.settings
    finally:
        server.kill()


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, running, for it to kill and start."""
    server = Server(tmp_path / "data")
    try:
        server.start()
        yield server
    finally:
        server.kill()


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
