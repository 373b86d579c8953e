"""What a machine lacks, as the doctor tells it."""

import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from jobs.doctor import machine
from jobs.doctor.findings import Finding, found
from lib import conf, jars
from lib.errors import JobError, MigrationError
from lib.install import packages

Usage = namedtuple("Usage", "total used free")


def wrong(findings: Iterator[Finding]) -> list[str]:
    return [f"{each.fact}; {each.remedy}" for each in findings if not each.is_ok]


def test_this_machine_has_what_make_setup_installs() -> None:
    assert wrong(machine.python()) == wrong(machine.java_and_jars()) == []
    assert wrong(machine.room(conf.load(environ={}))) == []


def test_packages_of_other_versions_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# Pinned.\nclick==0.1\nno-such-package==1.0\nrich==15.0.0\nwheel==0.1\n"
    monkeypatch.setattr(packages, "pinned", lambda tools: text)
    (line,) = wrong(machine.python())
    assert line.startswith("2 are not those of constraints.txt: click ")
    assert line.endswith("not 0.1, no-such-package none, not 1.0; run `make clean setup`")


def test_an_unsupported_python_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SUPPORTED", [(3, 99)])
    assert wrong(machine.python())[0].endswith("; use Python 3.99")


def test_jars_that_are_missing_or_damaged_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "jars"
    shutil.copytree(jars.FOLDER, folder)
    first, second, *_ = jars.locked()
    (folder / first.place).unlink()
    (folder / second.place).write_bytes(b"damaged")
    monkeypatch.setattr(jars, "FOLDER", folder)
    monkeypatch.setattr(jars, "FLINK_LIB", tmp_path)
    locked, flink = wrong(machine.java_and_jars())
    fact = f"{first.name} is missing, {second.name} is not the locked one; run `make setup`"
    assert locked == fact
    assert "flink-dist-" in flink and flink.endswith("is missing; run `make clean setup`")


def test_a_full_disk_and_little_memory_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(conf.load(environ={}), data_dir=tmp_path / "none" / "yet")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(0, 0, 5e8))
    memory = tmp_path / "meminfo"
    memory.write_text("MemTotal: 1 kB\nMemAvailable:   400000 kB\n")
    monkeypatch.setattr(machine, "_MEMORY_FILE", memory)
    disk, available = wrong(machine.room(config))
    assert disk == f"0.5 GB free for {config.data_dir}; free 2 GB, or set data_dir"
    assert available == "0.4 GB available; end other programs"


def test_each_line_of_an_error_is_a_finding() -> None:
    def look() -> Iterator[Finding]:
        yield Finding("a", "fine")
        raise JobError("x.sql: wrong; correct it.", "y.sql: a; b; fix it.")

    assert [*found("check", look)] == [
        Finding("a", "fine"),
        Finding("check", "x.sql: wrong", "correct it"),
        Finding("check", "y.sql: a; b", "fix it"),
    ]

    def fail() -> Iterator[Finding]:
        raise MigrationError("no remedy")
        yield

    assert [each.is_ok for each in found("check", fail)] == [False]
