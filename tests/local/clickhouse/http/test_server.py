"""Starts that fail: the address, the port and the folder."""

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.local.clickhouse.conftest import Embedded, Run


def assert_one_line(done: CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "example.com"])
def test_only_loopback_is_bound(run: Run, tmp_path: Path, host: str) -> None:
    assert_one_line(run(tmp_path / "data", 0, "--host", host), host, "127.0.0.1")


def test_a_port_in_use_is_named(run: Run, server: Embedded, tmp_path: Path) -> None:
    assert_one_line(run(tmp_path / "data", server.port), str(server.port), "--port")


def test_a_folder_in_use_is_named(run: Run, server: Embedded) -> None:
    assert_one_line(run(server.path, 0), str(server.path))


def test_a_folder_that_cannot_be_made_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_one_line(run(tmp_path / "file" / "data", 0), str(tmp_path / "file"))
