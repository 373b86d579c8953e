"""Records that are no valid tick: they stop the job, and nothing behind them is lost."""

import json
import re
import shutil

import httpx
import pytest

from tests.e2e.support import LIMIT, ROOT, Place, Tick

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
    GOOD | {"price": "150.5f"},
    GOOD | {"volume": -1},
    GOOD | {"volume": 12.7},
    GOOD | {"volume": 2**32},
    GOOD | {"timestamp": None},
    GOOD | {"timestamp": "1712101512345"},
    {"price": 1},
]
# A quote must not end the string of the SQL that it comes into.
PATTERN = "[A-Z0-9^/'.-]{1,16}"
OTHERS = ["^GSPC", "BF/B"]


def test_an_invalid_record_stops_the_job_until_the_sql_leaves_it_out(place: Place) -> None:
    sql = place.folder / "sql"
    shutil.copytree(ROOT / "sql", sql)
    place = place.having(SQL_DIR=sql, TICKS__SYMBOL_PATTERN=PATTERN)
    place.send([GOOD] * 5 + BAD + [GOOD] * 5)
    error = place.run("jobs", "run", "stocks").error
    assert "partition " in error and "offset " in error
    assert "the column takes no NULL; filter or CAST in the job's SQL." in error
    place.send(['{"symbol": "AAPL", "pri'])
    insert = sql / "flink" / "stocks" / "900_insert_ticks.sql"
    insert.write_text(insert.read_text().replace("FROM checked_ticks", "FROM valid_ticks"))
    error = place.run("jobs", "run", "stocks").error
    assert re.match(rf"{place.topic}, partition \d, offset \d+: a record of the source ", error)
    assert 'cannot be read: {"symbol": "AAPL", "pri: ' in error
    source = sql / "flink" / "stocks" / "100_source_raw_ticks.sql"
    text = source.read_text().rstrip().removesuffix(")").rstrip()
    source.write_text(f"{text},\n    'json.ignore-parse-errors' = 'true'\n)\n")
    job = place.run_job()
    place.wait_count(10)
    check_other_symbols(place)
    place.stop_job(job)
    rows = place.ask("SELECT count(), uniqExact(kafka_partition, kafka_offset) FROM stocks.ticks")
    assert rows == [[12, 12]]


def check_other_symbols(place: Place) -> None:
    """Symbols that the setting allows go from the producer to the API, and as they come."""
    api = place.start("api")
    api.wait_line(" endpoints at ")
    named = "symbols=%5EGSPC,BF%2FB"
    address = f"http://127.0.0.1:{place.names['MILLRACE_API__PORT']}/api/stream?{named}"
    with httpx.stream("GET", address, timeout=LIMIT) as stream:
        produced = place.run("producer", "--count", "2", "--symbols", "^GSPC,BF/B")
        assert (produced.code, produced.err) == (0, "")
        place.wait_count(12)
        events = (json.loads(line[5:]) for line in stream.iter_lines() if line[:5] == "data:")
        rows = (row for event in events for row in event)
        assert sorted(next(rows)["symbol"] for _ in OTHERS) == sorted(OTHERS)
    latest = place.api(f"/api/latest?{named}").json()["data"]
    assert sorted(row["symbol"] for row in latest) == sorted(OTHERS)
