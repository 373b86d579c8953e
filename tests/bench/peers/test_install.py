"""The installer of the peers, with peers of its own and a `go` that only writes down its calls."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.peers import install, places

GO = """#!/bin/sh
echo "$@" >> "$0.calls"
if [ -e "$3/broken" ]; then echo "main.go:1: undefined: x" >&2; exit 1; fi
touch "$5"
"""


@pytest.fixture
def peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of two Go programs, the second of which cannot be built, and of one in Python."""
    folder = tmp_path / "bench" / "peers"
    for name in ["fine", "other"]:
        (folder / name).mkdir(parents=True)
        (folder / name / "go.mod").write_text("module x\n")
    (folder / "other" / "broken").touch()
    (folder / "plain").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "go").write_text(GO)
    (tmp_path / "bin" / "go").chmod(0o755)
    monkeypatch.setattr(places, "PEERS", folder)
    monkeypatch.setattr(places, "HOME", tmp_path / "var")
    monkeypatch.setattr(install, "PEERS", folder)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return folder


def builds(peers: Path) -> int:
    return len((peers.parents[1] / "bin" / "go.calls").read_text().splitlines())


def test_only_what_needs_something_is_installed(peers: Path) -> None:
    assert places.names() == ["fine", "other"]


def test_a_peer_that_is_not_installed_says_how_it_would_be(peers: Path) -> None:
    line = "fine: not installed; run `python -m bench.peers.install fine`."
    assert places.reason("fine") == line


def test_a_second_run_does_nothing(peers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install.install_all(["fine"]) == []
    assert places.reason("fine") is None and Path(places.command("fine")[0]).is_file()
    assert "fine: done in 0:0" in capsys.readouterr().out
    assert install.install_all(["fine"]) == [] and builds(peers) == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("file", ["go.mod", "go.sum", "main.go"])
def test_a_change_makes_it_run_again(peers: Path, file: str) -> None:
    install.install_all(["fine"])
    (peers / "fine" / file).write_text("changed")
    assert places.reason("fine") is not None
    assert install.install_all(["fine"]) == [] and builds(peers) == 2


def test_a_peer_that_cannot_be_installed_is_one_line_and_the_rest_goes_on(peers: Path) -> None:
    result = CliRunner().invoke(install.main)
    assert result.exit_code == 0
    line = (
        "other: main.go:1: undefined: x; see {}, then run `python -m bench.peers.install other`."
    ).format(install.place_of("other").log_name)
    assert result.stderr == line + "\n"
    assert places.reason("fine") is None and places.reason("other") == line


def test_a_named_peer_that_cannot_be_installed_is_a_failure(peers: Path) -> None:
    assert CliRunner().invoke(install.main, ["other"]).exit_code == 2


def test_a_missing_go_is_named(peers: Path) -> None:
    (peers.parents[1] / "bin" / "go").unlink()
    assert install.install_all(["fine"]) == ["fine"]
    assert places.reason("fine") == (
        "fine: Go is not on PATH; install it, then run `python -m bench.peers.install fine`."
    )


def test_an_unknown_name_is_refused(peers: Path) -> None:
    result = CliRunner().invoke(install.main, ["fin"])
    assert (
        result.exit_code == 2 and "fin is no peer to install; did you mean fine?" in result.stderr
    )
