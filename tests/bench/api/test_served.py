"""The API that is measured has SQL of its own, and leaves the environment as it was."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click
import pytest

from bench.api import served
from lib import conf


@pytest.mark.parametrize("before", [None, "other"])
def test_the_environment_is_as_before_even_if_the_api_fails(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    @contextmanager
    def program(module: str, *, until: str) -> Iterator[None]:
        seen.append(os.environ["MILLRACE_SQL_DIR"])
        yield

    monkeypatch.setattr(served, "program", program)
    monkeypatch.delenv("MILLRACE_SQL_DIR", raising=False)
    if before:
        monkeypatch.setenv("MILLRACE_SQL_DIR", before)
    with (
        pytest.raises(click.ClickException, match="it ended"),
        served.served(conf.load(environ={})) as own,
    ):
        assert seen == [str(own.sql_dir)]
        assert "@cache" not in (own.sql_dir / "api" / "stats.sql").read_text()
        raise click.ClickException("it ended")
    assert os.environ.get("MILLRACE_SQL_DIR") == before and not own.sql_dir.exists()
