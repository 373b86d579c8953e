"""The command line: `python -m api` and `python -m api validate`."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.api.support import Api
from tests.conftest import ROOT, Server

HEAD = "-- One row per tick.\n"


def test_validate_shows_every_wrong_file(make_api: Callable[..., Api]) -> None:
    api = make_api()
    wrong = {
        "a_file": "SELECT 1",
        "b_file": HEAD + "SELECT 1 FROM stocks.tcks",
        "c_file": HEAD + "SELECT {n:UInt8}",
    }
    for name, text in wrong.items():
        (api.sql / f"{name}.sql").write_text(text)
    ended = api.run("validate")
    assert ended.returncode == 2
    places = [line.split(":")[0].rsplit("/", 1)[1] for line in ended.stderr.splitlines()]
    assert places == [f"{name}.sql" for name in wrong]


def test_it_does_not_start_with_a_wrong_file(make_api: Callable[..., Api]) -> None:
    api = make_api()
    (api.sql / "trades.sql").write_text(HEAD + "SELECT 1\nFROM stocks.tcks")
    ended = api.run()
    assert (ended.returncode, "trades.sql:3: " in ended.stderr) == (2, True)


def test_validate_reports_that_all_endpoints_are_valid(make_api: Callable[..., Api]) -> None:
    ended = make_api().run("validate")
    assert (ended.returncode, "endpoints are valid" in ended.stdout) == (0, True)


def test_validate_without_clickhouse_reports_it_in_a_line(make_api: Callable[..., Api]) -> None:
    ended = make_api(clickhouse__port=1).run("validate")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 2)
    assert "does not answer" in ended.stderr


def test_it_listens_beyond_loopback_only_with_keys(make_api: Callable[..., Api]) -> None:
    ended = make_api().run("--host", "0.0.0.0")
    assert (ended.returncode, "set api.keys" in ended.stderr) == (2, True)


def test_it_listens_on_ipv6_and_prints_an_address_that_can_be_opened(
    make_api: Callable[..., Api],
) -> None:
    api = make_api()
    api.client = httpx.Client(base_url=f"http://[::1]:{api.port}", timeout=60)
    api.start("--host", "::1")
    assert f"endpoints at http://[::1]:{api.port}/api/" in api.log_text()


def test_a_port_in_use_is_reported_in_a_line(make_api: Callable[..., Api], api: Api) -> None:
    ended = make_api(api__port=api.port).run()
    assert (ended.returncode, "the port is in use" in ended.stderr) == (2, True)


WRONG = {
    "{me: 0123456789-s3cret}": "Expected `object`, got `str`",
    "{me: {key: 0123456789-s3cret, only: {symbol: [A]}}}": (
        "api.keys.me.only: no endpoint has a parameter symbol; did you mean symbols?"
    ),
    "{me: {key: 0123456789-s3cret, only: {symbols: [aapl]}}}": (
        "api.keys.me.only: symbols is never 'aapl'; each value must be a list, each text"
    ),
    "{me: {key: 0123456789-s3cret}, you: {key: 0123456789-s3cret}}": (
        "api.keys: me and you have one key; give each its own."
    ),
}


@pytest.mark.parametrize(("text", "fact"), WRONG.items())
def test_a_wrong_key_setting_is_refused_at_start_without_showing_a_key(
    make_api: Callable[..., Api], server: Server, text: str, fact: str
) -> None:
    ended = make_api(api__keys=text).run()
    assert ended.returncode == 2, ended.stderr
    assert fact in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert "s3cret" not in ended.stderr + ended.stdout


def test_it_does_not_listen_without_the_jars(tmp_path: Path) -> None:
    for name in ("api", "lib", "conf"):
        ignored = shutil.ignore_patterns("jars", "__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    run = subprocess.run(
        [sys.executable, "-m", "api"], cwd=tmp_path, capture_output=True, text=True, timeout=150
    )
    assert run.returncode == 2
    assert run.stdout == ""
    place = re.escape(str(tmp_path / "lib/jars/assets"))
    assert re.fullmatch(rf"{place}/echarts-.+\.jar: not found; run `make setup`\.\n", run.stderr)
