"""Stored figures say when, on what and with which versions they were measured."""

import json
from pathlib import Path

from bench import results


def test_a_stored_run_names_the_machine_and_the_versions(tmp_path: Path) -> None:
    run = results.machine() | {"rows_per_second": 5}
    file = results.store("pipeline", run, tmp_path / "new" / "run.json")
    stored = json.loads(file.read_text(encoding="utf-8"))
    assert stored == run
    assert stored["commit"] and stored["cpu"] and stored["cores"] > 0
    assert stored["versions"].keys() == {"python", *results.PACKAGES}


def test_a_run_is_stored_under_its_benchmark_and_date() -> None:
    assert results.path("suite", "2026-11-26T18:22:28+00:00").name == "suite-2026-11-26.json"


def test_a_list_of_numbers_is_one_line(tmp_path: Path) -> None:
    run = {"a": [1, 2.5, None], "b": {"c": []}, "d": ["[1,", "2]"]}
    file = results.store("soak", run, tmp_path / "run.json")
    assert '"a": [ 1, 2.5, null ]' in file.read_text()
    assert json.loads(file.read_text()) == run
