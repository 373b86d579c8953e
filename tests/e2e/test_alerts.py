"""The rules of the stock job: the same alerts whatever is killed, and ticks that are too late."""

import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.e2e.support import START, Load, Place, Tick, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

RULES = {
    "price_falls", "price_rises", "reversals", "volume_bursts", "price_outliers", "silences",
}  # fmt: skip
SYMBOLS = [f"S{number}" for number in range(20)]
PER_SECOND = 4_000
SECONDS = 600
# By their hash they are in all partitions.
ENDS = 40
# table.exec.source.idle-timeout, in seconds.
IDLE_AFTER = 10
ALERTS = (
    "SELECT rule, symbol, toString(started_at), toString(ended_at), severity, details, message"
    " FROM stocks.alerts FINAL ORDER BY ALL"
)


def market(rng: random.Random) -> Iterator[Tick]:
    """Ten minutes of ticks, four a second of each symbol: quiet, but for a fall and a rise now and
    then, a burst of volume, and a symbol that is silent for a while."""
    prices = dict.fromkeys(SYMBOLS, 100.0)
    moves = dict.fromkeys(SYMBOLS, 0.0)
    silent = {symbol: rng.uniform(100, 500) for symbol in SYMBOLS[::7]}
    for number in range(SECONDS * 4):
        for at, symbol in enumerate(SYMBOLS):
            seconds = number / 4 + at / 100
            if symbol in silent and silent[symbol] < seconds < silent[symbol] + 40:
                continue
            if rng.random() < 0.002:
                moves[symbol] = rng.choice([-0.8, 0.8])
            prices[symbol] += moves[symbol] / 4 + rng.uniform(-0.02, 0.02)
            moves[symbol] = 0.0 if rng.random() < 0.25 else moves[symbol]
            yield {
                "symbol": symbol,
                "price": round(prices[symbol], 2),
                "volume": 100 * (30 if rng.random() < 0.001 else 1),
                "timestamp": (START + timedelta(seconds=seconds)).isoformat(),
            }


def end() -> Iterator[Tick]:
    """Ticks of other symbols in each partition, much later: what came before is complete when the
    fall of each has raised an alert."""
    for seconds, price in [(600, 1.0), (601, 0.5), (610, 0.5)]:
        later = (START + timedelta(seconds=SECONDS + seconds)).isoformat()
        for number in range(ENDS):
            yield {"symbol": f"END{number}", "price": price, "volume": 1, "timestamp": later}


def late(place: Place) -> list[list[int]]:
    """How many ticks of each partition are late, from which offset to which."""
    return place.ask(
        "SELECT kafka_partition, count(), min(kafka_offset), max(kafka_offset)"
        " FROM stocks.ticks FINAL WHERE is_late GROUP BY ALL ORDER BY ALL"
    )


def raised(place: Place) -> list[list[str]]:
    """All alerts, once that of `end` are there and no more come."""
    found: list[list[str]] = []
    since = time.monotonic()

    def is_settled() -> bool:
        nonlocal since
        before = [*found]
        found[:] = place.ask(ALERTS)
        falls = {symbol for rule, symbol, *_ in found if rule == "price_falls"}
        if found != before or not {f"END{number}" for number in range(ENDS)} <= falls:
            since = time.monotonic()
        # One rule may be behind another.
        return time.monotonic() - since > 5

    wait_until(is_settled, "the alerts are complete")
    return found


def test_a_killed_job_raises_the_alerts_of_one_that_ran_through(place: Place) -> None:
    sent = [*market(random.Random(20240130))]
    job = place.run_job()
    load = Load(place, sent, PER_SECOND)
    load.start()
    wait_until(place.has_checkpoint, "a checkpoint")
    wait_until(lambda: len(place.ask(ALERTS)) > 5, "some alerts")
    job.kill()
    wait_until(lambda: not place.processes(), "Flink's Java ended with the killed runner")
    job = place.run_job()
    job.wait_line(r"^job stocks: resuming from .+/chk-\d+$")
    load.wait()
    place.send(end())
    killed = raised(place)
    place.stop_job(job)
    assert {rule for rule, *_ in killed} == RULES
    assert late(place) == []

    # All again, from the sources, into an empty table.
    place.ask("TRUNCATE TABLE stocks.alerts")
    job = place.run_job("stocks", "--fresh")
    assert raised(place) == killed
    place.stop_job(job)


def test_no_partition_is_idle_while_it_waits_to_be_read(stack: Place, place: Place) -> None:
    sent = [*market(random.Random(20240130))][:24_000]
    job = place.run_job()
    Load(place, sent[:12_000], PER_SECOND).start()
    wait_until(place.count, "rows")
    clickhouse = stack.pid("clickhouse")
    os.kill(clickhouse, signal.SIGSTOP)
    try:
        time.sleep(IDLE_AFTER + 2)
    finally:
        os.kill(clickhouse, signal.SIGCONT)
    place.wait_count(12_000)
    assert late(place) == []
    # All are idle now, until the first of them has records again.
    time.sleep(IDLE_AFTER + 2)
    place.send(sent[12_000:])
    place.wait_count(24_000)
    assert late(place) == []
    place.stop_job(job)


def test_late_ticks_are_stored_and_counted(place: Place) -> None:
    def tick(number: int, seconds: float) -> Tick:
        at = (START + timedelta(seconds=seconds)).isoformat()
        return {"symbol": "AAPL", "price": 100.0 + number, "volume": 1, "timestamp": at}

    def has_late() -> bool:
        place.send([tick(1, 1), tick(2, 31)])
        found = place.ask("SELECT countIf(is_late AND price = 101) FROM stocks.ticks FINAL")
        return bool(found[0][0])

    job = place.run_job()
    place.send([tick(0, 30)])
    # Partitions without records do not hold the watermark back for ever.
    wait_until(has_late, "a late tick")
    assert place.ask("SELECT count() FROM stocks.ticks WHERE is_late AND price != 101") == [[0]]
    place.stop_job(job)
