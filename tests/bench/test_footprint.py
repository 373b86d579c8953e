"""Sizes are those of what is installed, and of what pip says that it downloaded."""

from pathlib import Path

from bench import footprint

LOG = """Collecting click==8.5.1
  Downloading click-8.5.1-py3-none-any.whl (105 kB)
  Downloading chdb_core-26.9.0.whl.metadata (24 kB)
  Downloading chdb_core-26.9.0.whl (141.5 MB)
"""


def test_what_pip_downloaded_is_added_up(tmp_path: Path) -> None:
    log = tmp_path / "setup.log"
    log.write_text(LOG)
    jars = footprint.installed()["jars"]
    assert footprint.downloaded(log) == round(0.105 + 0.024 + 141.5 + jars, 1)


def test_a_link_to_a_package_takes_no_room(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "file").write_bytes(b"x" * 10)
    (tmp_path / "package").write_bytes(b"x" * 1_000)
    (tmp_path / "made" / "link").symlink_to(tmp_path / "package")
    assert footprint.made(tmp_path / "made") == 10


def test_a_log_without_downloads_gives_no_size(tmp_path: Path) -> None:
    assert footprint.downloaded(tmp_path / "none") is None
    # Of a set-up that has only added the tools.
    log = tmp_path / "setup.log"
    log.write_text("  Downloading pytest-9.2.0-py3-none-any.whl (411 kB)\n")
    assert footprint.downloaded(log) is None


def test_packages_have_the_size_of_their_files() -> None:
    assert footprint.packages("click==1\n# Tools\n") > 0.1
    assert footprint.packages("not-installed==1\n") == 0


def test_installed_is_what_a_run_needs_and_what_the_tools_add() -> None:
    found = footprint.installed()
    assert found["packages"] > 500 and found["jars"] > 30 and found["tools"] > 50
