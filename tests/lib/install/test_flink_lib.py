"""Flink's JARs in one folder."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

from lib.errors import SetupError
from lib.install import flink_lib


def test_all_jars_are_there_with_the_planner_in_place_of_its_loader(tmp_path: Path) -> None:
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / "flink-dist-1.0.jar").touch()
    flink_lib.gather(folder)
    spec = importlib.util.find_spec("pyflink")
    assert spec and spec.origin
    package = {jar.name for jar in (Path(spec.origin).parent / "lib").glob("*.jar")}
    (loader,) = (name for name in package if "planner-loader" in name)
    assert {jar.name for jar in folder.iterdir()} == package - {loader} | {
        "flink-table-planner.jar"
    }
    assert all(jar.stat().st_size > 10_000 for jar in folder.iterdir())


def test_a_package_without_a_planner_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(SetupError, match=r"0 flink-table-planner-loader.* run `make clean setup`"):
        flink_lib.gather(tmp_path / "lib")
