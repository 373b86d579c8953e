"""A real supervisord over a temporary data folder, and settings of its own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from lib import conf, ports
from lib.settings import Settings
from local.supervisor import Supervisor
from local.supervisord_conf import Program


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path)
    yield supervisor
    if supervisor.is_running():
        supervisor.shut_down()


@pytest.fixture
def config(tmp_path: Path) -> Settings:
    """Data in the temporary folder, and a ClickHouse that does not answer."""
    config = conf.load(environ={})
    clickhouse = msgspec.structs.replace(config.clickhouse, port=ports.free(1)[0])
    return msgspec.structs.replace(config, data_dir=tmp_path, clickhouse=clickhouse)


def program(name: str, code: str = "import time; time.sleep(600)") -> Program:
    """A program that runs this Python, by default for longer than any test."""
    return Program(name, [sys.executable, "-c", code], 10, starts=True, stop_seconds=5)
