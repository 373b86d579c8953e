"""The API that is measured has SQL of its own, and leaves the environment as it was."""

import os

import pytest

from bench.api import served


@pytest.mark.parametrize("before", [None, "other"])
def test_the_environment_is_as_before_even_after_an_error(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(served.VARIABLE, raising=False)
    if before:
        monkeypatch.setenv(served.VARIABLE, before)
    with pytest.raises(ValueError, match="it ended"), served.uncached() as sql:
        assert os.environ[served.VARIABLE] == str(sql)
        assert "@cache" not in (sql / "api" / "stats.sql").read_text()
        raise ValueError("it ended")
    assert os.environ.get(served.VARIABLE) == before and not sql.exists()
