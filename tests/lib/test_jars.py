"""The locked JARs and the programs that load them; tests/lib/install fetches some."""

import os
import tomllib
from pathlib import Path

import pytest
from jgo.env import LockFile, compute_spec_hash

from lib.errors import SetupError
from lib.jars import LOCK, Jar, asset_jar, flink_jars, kafka_classpath, locked


@pytest.mark.parametrize("group", ["org.webjars", "org.mvnpm"])
def test_jars_for_browsers_are_apart_from_those_for_java(group: str) -> None:
    assert str(Jar(group, "charts", "1.0", "").place) == "assets/charts-1.0.jar"


def test_a_missing_jar_is_named_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"kafka/.+\.jar: not found; run `make setup`\."):
        kafka_classpath(tmp_path)


def test_the_broker_does_not_see_the_flink_connector() -> None:
    assert [path.parent.name for path in flink_jars()] == ["flink"]
    folders = {Path(jar).parent.name for jar in kafka_classpath().split(os.pathsep)}
    assert folders == {"kafka"}


@pytest.mark.parametrize("artifact", ["echarts", "swagger-ui"])
def test_a_jar_for_browsers_is_found_by_its_name(artifact: str, tmp_path: Path) -> None:
    jar = asset_jar(artifact)
    assert jar.is_file()
    assert jar.match(f"assets/{artifact}-*.jar")
    with pytest.raises(SetupError, match=rf"{artifact}-.+\.jar: not found; run `make setup`\."):
        asset_jar(artifact, tmp_path)


def test_no_jar_is_locked_that_no_program_loads() -> None:
    """ECharts' own dependencies are inside the file that is served."""
    names = [jar.artifact for jar in locked() if jar.program == "assets"]
    assert names == ["echarts", "swagger-ui"]


def test_a_damaged_lock_file_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "jgo.lock.toml"
    lock.write_text("[[dependencies]]\nartifactId = 'a'\n")
    with pytest.raises(SetupError, match=r"jgo\.lock\.toml: unreadable .*; restore it from git\."):
        locked(lock)


def test_the_lock_is_what_jgo_toml_asks_for() -> None:
    assert LockFile.load(LOCK).spec_hash == compute_spec_hash(LOCK.with_name("jgo.toml"))


def test_kafka_gets_the_scala_it_was_built_with() -> None:
    versions = {jar.artifact: jar.version for jar in locked()}
    assert versions["scala-library"].startswith("2.13.")
    assert versions["kafka-clients"] == versions["kafka_2.13"]


def test_the_lock_names_no_address() -> None:
    text = LOCK.read_text()
    assert "://" not in text
    assert all(entry["sha256"] for entry in tomllib.loads(text)["dependencies"])
