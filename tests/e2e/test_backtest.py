"""Back-tests: what a rule would have made of the past, beside what it made then."""

import json
import random
import shutil

import pytest

from tests.e2e.support import ROOT, Ended, Place
from tests.e2e.test_alerts import ALERTS, end, market, raised

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

RANGE = ("--from", "2024-01-30T10:01:00", "--to", "2024-01-30T10:09:00")


def test_a_back_test_agrees_with_what_was_stored_and_shows_what_a_change_would_do(
    place: Place,
) -> None:
    job = place.run_job()
    place.send([*market(random.Random(20240131)), *end()])
    before = raised(place)
    falls = sum(rule == "price_falls" for rule, _, _, ended_at, *_ in before if in_range(ended_at))
    assert falls > 3

    # While the job runs.
    same = backtest(place, "price_falls")
    assert (same.code, signs(same)) == (0, ["="] * falls)
    silences = backtest(place, "silences")
    assert (silences.code, {*signs(silences)}) == (0, {"="})

    other = backtest(place.having(ALERTS__MOVE_PERCENT=0.3), "price_falls")
    assert other.code == 1 and {"+"} <= {*signs(other)}

    # Where Kafka has deleted records, those of the table are read: all of one partition, then half
    # of the others.
    first, *others = (after for _, after in place.marks())
    for ends in ({0: first}, {1 + n: after // 2 for n, after in enumerate(others)}):
        place.delete_records(ends)
        again = backtest(place, "price_falls")
        assert (again.code, again.out) == (0, same.out)

    sql = shutil.copytree(ROOT / "sql", place.folder / "sql")
    shutil.rmtree(sql / "history")
    error = backtest(place.having(SQL_DIR=sql), "price_falls").error
    assert "Kafka has deleted records of that time; write " in error
    assert (
        "stocks: no view 'price_fall'; did you mean price_falls"
        in backtest(place, "price_fall").error
    )

    place.stop_job(job)
    assert place.ask(ALERTS) == before
    left = "SELECT count() FROM system.tables WHERE name LIKE 'backtest%'"
    assert place.ask(left) == [[0]]
    assert [name for name in place.admin().list_topics().topics if name.startswith("back")] == []


def in_range(moment: str) -> bool:
    return "2024-01-30 10:01:00" <= moment < "2024-01-30 10:09:00"


def backtest(place: Place, view: str) -> Ended:
    return place.run("jobs", "backtest", "stocks", view, *RANGE, "--json")


def signs(ended: Ended) -> list[str]:
    assert ended.code < 2, ended.err
    kinds = {(True, True): "=", (True, False): "+", (False, True): "-"}
    rows = json.loads(ended.out)["rows"]
    return [kinds[row["is_raised"], row["is_stored"]] for row in rows]
