"""Records that are not valid ticks become dead letters and the job goes on, or it stops."""

import json
import re

import httpx
import pytest

from tests.e2e.support import LIMIT, Place, Tick, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

GOOD: Tick = {
    "symbol": "AAPL",
    "price": 150.5,
    "volume": 1000,
    "timestamp": "2024-01-30T10:00:01.123456Z",
}
NUMBER = " is not a finite number above 0"
WHOLE = " is not a whole number from 0 to 4294967295"
# Each with the reason.
BAD: list[tuple[Tick, str]] = [
    (GOOD | {"symbol": "aapl"}, "symbol: 'aapl' does not match "),
    (GOOD | {"symbol": "A" * 17}, f"symbol: '{'A' * 17}' does not match "),
    (GOOD | {"price": 0}, f"price: '0'{NUMBER}"),
    (GOOD | {"price": -5}, f"price: '-5'{NUMBER}"),
    (GOOD | {"price": "x"}, f"price: 'x'{NUMBER}"),
    (GOOD | {"price": "150.5f"}, f"price: '150.5f'{NUMBER}"),
    (GOOD | {"price": {"a": 1}}, f"price: '{{\"a\":1}}'{NUMBER}"),
    (GOOD | {"volume": -1}, f"volume: '-1'{WHOLE}"),
    (GOOD | {"volume": 12.7}, f"volume: '12.7'{WHOLE}"),
    (GOOD | {"volume": 2**32}, f"volume: '4294967296'{WHOLE}"),
    (GOOD | {"timestamp": None}, "timestamp: missing"),
    (GOOD | {"timestamp": "1712101512345"}, "timestamp: '1712101512345' is not a time in ISO 8601"),
    ({"price": 1}, "symbol: missing"),
]
SEVERAL = "the record holds several objects, and one record is one row"
# A quote must not end the string in the SQL that it is substituted into.
PATTERN = "[A-Z0-9^/'.-]{1,16}"
OTHERS = ["^GSPC", "BF/B"]


def dead_letters(place: Place) -> list[tuple[str, str]]:
    rows = place.ask(
        "SELECT stage, reason FROM stocks.dead_letters FINAL"
        f" WHERE topic = '{place.topic}' ORDER BY reason"
    )
    return [(stage, reason) for stage, reason in rows]


def test_invalid_records_become_dead_letters_and_the_job_goes_on(place: Place) -> None:
    place = place.having(TICKS__SYMBOL_PATTERN=PATTERN)
    bad = [tick for tick, _ in BAD]
    several = json.dumps([GOOD, GOOD | {"price": "x"}])
    # A cast of the whole batch would refuse the good ones beside it.
    place.send([GOOD] * 5 + bad + [several, json.dumps([GOOD])] + [GOOD] * 5)
    job = place.run_job()
    place.wait_count(11)
    reasons = sorted([reason for _, reason in BAD])
    wait_until(lambda: len(dead_letters(place)) == len(BAD) + 1, "all dead letters")
    letters = dead_letters(place)
    assert letters.pop([stage for stage, _ in letters].index("parse")) == ("parse", SEVERAL)
    assert [stage for stage, _ in letters] == ["rule"] * len(BAD)
    for (_, reason), start in zip(letters, reasons, strict=True):
        assert reason.startswith(start)
    check_other_symbols(place)
    place.stop_job(job)
    rows = place.ask("SELECT count(), uniqExact(kafka_partition, kafka_offset) FROM stocks.ticks")
    assert rows == [[13, 13]]
    check_stop(place.having(DEAD_LETTERS__KEEP="false"))


def check_stop(place: Place) -> None:
    """A job that keeps no dead letters stops at the first record that would become one."""
    place.send([GOOD, GOOD | {"price": "x"}])
    error = place.run("jobs", "run", "stocks").error
    assert re.search(r"stocks\.ticks: partition \d, offset \d+: price: 'x' is not a finite", error)
    assert error.endswith("or set dead_letters.keep to true.")


def check_other_symbols(place: Place) -> None:
    """Symbols that the setting allows reach the API, and its stream, from the producer."""
    api = place.start("api")
    api.wait_line(" endpoints at ")
    named = "symbols=%5EGSPC,BF%2FB"
    address = f"http://127.0.0.1:{place.names['MILLRACE_API__PORT']}/api/stream?{named}"
    with httpx.stream("GET", address, timeout=LIMIT) as stream:
        produced = place.run("producer", "--count", "2", "--symbols", "^GSPC,BF/B")
        assert (produced.code, produced.err) == (0, "")
        place.wait_count(13)
        events = (json.loads(line[5:]) for line in stream.iter_lines() if line[:5] == "data:")
        rows = (row for event in events for row in event)
        assert sorted(next(rows)["symbol"] for _ in OTHERS) == sorted(OTHERS)
    latest = place.api(f"/api/latest?{named}").json()["data"]
    assert sorted(row["symbol"] for row in latest) == sorted(OTHERS)
