"""The tables of docs/reliability.md are those of the stored runs."""

import json

from tests.chaos import table
from tests.conftest import ROOT

# Of each run the rounds in which each record was where it should be.
RUNS = [
    [one for one in json.loads(file.read_text(encoding="utf-8"))["rounds"] if one["counts"]]
    for file in sorted((ROOT / "bench" / "results").glob("chaos-*.json"))
]


def test_the_document_shows_the_stored_runs() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    for rounds in RUNS:
        assert table.rounds(rounds) in text
    assert table.recoveries(RUNS[-1]) in text


def test_the_stored_runs_have_all_thirty_seeds() -> None:
    assert {one["seed"] for rounds in RUNS for one in rounds} == {*range(1, 31)}
