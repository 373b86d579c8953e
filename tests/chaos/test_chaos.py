"""One round of `make chaos`: every record is where it should be, once, whatever is killed."""

import json
from pathlib import Path

import pytest

from tests.e2e.support import Place

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

# The job's process is killed, the connection to ClickHouse cut behind an insert, then cut for
# seconds, and the broker frozen.
SEED = 5


def test_no_record_is_lost_or_twice_in_a_round(tmp_path: Path) -> None:
    figures = tmp_path / "chaos.json"
    ended = Place(tmp_path, {"TMPDIR": str(tmp_path)}).run(
        "tests.chaos", "--seed", str(SEED), "--output", str(figures), limit=1200
    )
    assert ended.code == 0, ended.out
    (one,) = json.loads(figures.read_text())["rounds"]
    assert not one["error"] and one["counts"]["dead_letters"] > 100
    assert [*tmp_path.glob("chaos-*")] == [], "a good round leaves nothing"
