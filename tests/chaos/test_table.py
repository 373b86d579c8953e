"""The tables of docs/reliability.md are those of the stored run."""

import json

from tests.chaos import table
from tests.conftest import ROOT

RUN = sorted((ROOT / "bench" / "results").glob("chaos-*.json"))[-1]


def test_the_document_shows_the_stored_run() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    good = [one for one in json.loads(RUN.read_text(encoding="utf-8"))["rounds"] if one["counts"]]
    assert table.rounds(good) in text and table.recoveries(good) in text
