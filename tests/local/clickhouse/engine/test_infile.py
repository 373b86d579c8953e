"""Rows in memory as a file."""

import sys
from pathlib import Path

import pytest

from local.clickhouse.engine.infile import as_file

ROWS = b"1\n" * 1000


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_rows_are_a_file_to_the_engine(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with as_file(ROWS) as path:
        assert Path(path).read_bytes() == ROWS
    assert not Path(path).exists()
