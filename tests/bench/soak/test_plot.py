"""The charts of a stored run of the soak, as data."""

import json

from bench.soak import plot
from tests.conftest import ROOT

RUN = sorted((ROOT / "bench" / "results").glob("soak-*.json"))[-1]


def test_each_kind_of_figure_has_a_chart_with_a_line_for_each_program() -> None:
    run = json.loads(RUN.read_text(encoding="utf-8"))
    memory, *others = plot.options(run)
    assert len(others) == len(plot.CHARTS) - 1
    assert {line["name"] for line in memory["series"]} == run["memory_mb"].keys() - plot.LEFT_OUT
    first = memory["series"][0]
    values = run["memory_mb"][first["name"]]
    assert first["data"][1] == (run["seconds"][1] / 60, values[1])
