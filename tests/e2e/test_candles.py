"""stocks.candles_1m, which the job updates as ticks come, beside what ClickHouse computes."""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.e2e.support import START, SYMBOLS, Load, Place, Tick, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

COUNT = 200_000
STEP = timedelta(milliseconds=10)
PER_SECOND = 6_000

# The same in another way: all ticks of a minute at once.
COMPUTED = """
    SELECT symbol, toStartOfMinute(timestamp) AS start,
        argMin(price, (timestamp, kafka_offset)) AS open, max(price) AS high, min(price) AS low,
        argMax(price, (timestamp, kafka_offset)) AS close, sum(volume) AS volume, count() AS trades
    FROM stocks.ticks FINAL GROUP BY symbol, start
"""
COLUMNS = "symbol, toString(start), open, high, low, close, volume, trades"


def written(seconds: float, form: int) -> str:
    """A time in one of the forms of ISO 8601 that are valid, with as few digits as it needs."""
    text = (START + timedelta(seconds=seconds)).isoformat()
    if "." in text:
        text = text.rstrip("0")
    return (text, f"{text}Z", text.replace("T", " "), f"{text}+00:00")[form]


def shuffled(rng: random.Random) -> Iterator[Tick]:
    """Ticks that come up to 30 s later than newer ones, one of a hundred 5 minutes later, and one
    of a hundred twice."""
    order = list[tuple[float, int]]()
    for number in range(COUNT):
        delay = rng.uniform(0, 30) + (300 if rng.random() < 0.01 else 0)
        order.append((number * STEP.total_seconds() + delay, number))
    for _, number in sorted(order):
        # Many ticks of a symbol have the same time: then the offset decides.
        seconds = number // 16 * 16 * STEP.total_seconds()
        tick: Tick = {
            "symbol": SYMBOLS[number % len(SYMBOLS)],
            "price": round(rng.uniform(90, 110), rng.randrange(6)),
            "volume": rng.randrange(1000),
            "timestamp": written(seconds, rng.randrange(4)),
        }
        yield tick
        if rng.random() < 0.01:
            yield tick


def test_candles_are_those_of_all_ticks_in_any_order_after_a_kill(place: Place) -> None:
    sent = [*shuffled(random.Random(20240130))]
    job = place.run_job()
    load = Load(place, sent, PER_SECOND)
    load.start()
    wait_until(place.has_checkpoint, "a checkpoint")
    before = trades(place)
    wait_until(lambda: trades(place) > before, "candles after the checkpoint")
    job.kill()
    wait_until(lambda: not place.processes(), "Flink's Java ended with the killed runner")
    assert load.is_alive(), "killed after the load"
    job = place.run_job()
    job.wait_line(r"^job stocks: resuming from .+/chk-\d+$")
    load.wait()
    place.wait_count(len(sent))
    wait_until(lambda: trades(place) >= len(sent), "all ticks are in candles")
    found = place.ask(f"SELECT {COLUMNS} FROM stocks.candles_1m FINAL ORDER BY symbol, start")
    assert found == place.ask(f"SELECT {COLUMNS} FROM ({COMPUTED}) ORDER BY symbol, start")
    assert sum(volume for *_, volume, _ in found) == sum(int(tick["volume"]) for tick in sent)
    place.stop_job(job)


def trades(place: Place) -> int:
    return int(place.ask("SELECT sum(trades) FROM stocks.candles_1m FINAL")[0][0])
