"""Records that are no valid tick: they stop the job, and nothing behind them is lost."""

import re
import shutil

import pytest

from tests.e2e.support import ROOT, Place, Tick

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

GOOD: Tick = {
    "symbol": "AAPL",
    "price": 150.5,
    "volume": 1000,
    "timestamp": "2024-01-30T10:00:01.123456Z",
}
BAD: list[Tick] = [
    GOOD | {"symbol": "aapl"},
    GOOD | {"symbol": "A" * 17},
    GOOD | {"price": 0},
    GOOD | {"price": -5},
    GOOD | {"price": "x"},
    GOOD | {"volume": -1},
    GOOD | {"volume": 12.7},
    GOOD | {"timestamp": None},
    {"price": 1},
]
LEAVE_OUT = "WHERE symbol IS NOT NULL AND price IS NOT NULL AND volume IS NOT NULL"


def test_an_invalid_record_stops_the_job_until_the_sql_leaves_it_out(place: Place) -> None:
    sql = place.folder / "sql"
    shutil.copytree(ROOT / "sql", sql)
    place = place.having(SQL_DIR=sql)
    place.send([GOOD] * 5 + BAD + [GOOD] * 5)
    error = place.run("jobs", "run", "stocks").error
    assert "partition " in error and "offset " in error
    assert "the column takes no NULL; filter or CAST in the job's SQL." in error
    place.send(['{"symbol": "AAPL", "pri'])
    view = sql / "flink" / "stocks" / "210_view_valid_ticks.sql"
    view.write_text(f"{view.read_text()}{LEAVE_OUT} AND `timestamp` IS NOT NULL\n")
    error = place.run("jobs", "run", "stocks").error
    assert re.match(rf"{place.topic}, partition \d, offset \d+: a record of the source ", error)
    assert 'cannot be read: {"symbol": "AAPL", "pri: ' in error
    source = sql / "flink" / "stocks" / "100_source_raw_ticks.sql"
    text = source.read_text().rstrip().removesuffix(")").rstrip()
    source.write_text(f"{text},\n    'json.ignore-parse-errors' = 'true'\n)\n")
    job = place.run_job()
    place.wait_count(10)
    place.send([GOOD])
    place.wait_count(11)
    place.stop_job(job)
    rows = place.ask("SELECT count(), uniqExact(kafka_partition, kafka_offset) FROM stocks.ticks")
    assert rows == [[11, 11]]
