import os
import sys
from pathlib import Path

import pytest

from bench.peers import places, settings


@pytest.mark.parametrize("name", places.names())
def test_what_a_peer_needs_is_pinned(name: str) -> None:
    file = places.PEERS / name / places.REQUIREMENTS
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    assert [line for line in lines if "==" not in line] == []
    assert (places.PEERS / name / places.MODULE).exists() == (
        places.PEERS / name / "go.sum"
    ).exists()


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("go", [str(places.HOME / "go" / "go")]),
        ("quix", [f"{places.HOME}/quix/venv/bin/python", "-m", "bench.peers.quix"]),
        ("loop", [sys.executable, "-m", "bench.peers.loop"]),
    ],
)
def test_each_peer_has_a_command(name: str, command: list[str]) -> None:
    assert places.command(name) == command


def test_a_peer_on_the_projects_environment_is_available() -> None:
    assert "loop" not in places.names()
    assert places.reason("loop") is None


@pytest.mark.parametrize("file", sorted(places.PEERS.rglob("*.py")), ids=os.path.basename)
def test_each_program_is_valid_python(file: Path) -> None:
    compile(file.read_text(encoding="utf-8"), file.name, "exec")


def test_the_settings_are_those_of_the_run() -> None:
    names = ["SERVERS", "TOPIC", "GROUP", "TABLE", "STATE"]
    environ = {f"BENCH_{name}": name.lower() for name in names}
    config = settings.load({**environ, "BENCH_CLICKHOUSE": "http://127.0.0.1:8123/"})
    assert (config.host, config.port) == ("127.0.0.1", 8123)
    assert (config.servers, config.group, config.state) == ("servers", "group", Path("state"))


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(KeyError, match="BENCH_SERVERS"):
        settings.load({})
