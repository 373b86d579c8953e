"""A backup of a pipeline under load, the loss of all that it holds, and the restore."""

import json
import shutil
from collections.abc import Iterator

import pytest

from tests.e2e.support import Load, Place, Tick, tick, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

RECORDS = 9_000
BAD = ("no JSON", '{"symbol": "AAPL", "price": -1, "volume": 1, "timestamp": "2026-01-02T03:04"}')


def records() -> Iterator[Tick | str]:
    for number in range(RECORDS):
        yield BAD[number // 10 % 2] if number % 10 == 0 else tick(number)


def test_each_record_is_there_once_after_everything_but_kafka_was_lost(place: Place) -> None:
    """The backup is made while the job runs; the records since then come from Kafka again."""
    job = place.run_job()
    load = Load(place, records(), per_second=300)
    load.start()
    wait_until(lambda: place.count("stocks.dead_letters FINAL") > 50, "dead letters")
    wait_until(place.has_checkpoint, "a checkpoint")
    folder = place.folder / "backup"
    made = place.run("jobs", "backup", "--to", str(folder))
    assert made.code == 0, made.err
    copied = json.loads((folder / "manifest.json").read_text())
    assert copied["jobs"]["stocks"] and copied["states_at"] < copied["data_at"]
    assert "runs already" in place.run("jobs", "restore", "--from", str(folder)).error
    load.wait()
    wait_until(lambda: place.count() >= RECORDS * 9 // 10, "all ticks")
    job.kill()
    wait_until(lambda: not place.java(), "Flink ended")

    place.ask("DROP DATABASE stocks SYNC")
    shutil.rmtree(place.folder / "var" / "flink")
    restored = place.run("jobs", "restore", "--from", str(folder))
    assert restored.code == 0, restored.err
    assert 0 < place.count("stocks.ticks FINAL") < RECORDS * 9 // 10

    job = place.run_job()
    assert any("resuming from" in line for line in job.out), job.said
    place.wait_count(RECORDS * 9 // 10, "stocks.ticks FINAL")
    place.stop_job(job)
    audit = place.run("jobs", "audit", "stocks", "--json")
    assert audit.code == 0, audit.out
    parts = json.loads(audit.out)["partitions"]
    totals = [sum(p[name] for p in parts) for name in ("stored", "dead_letters", "not_read")]
    assert totals == [RECORDS * 9 // 10, RECORDS // 10, 0]
    # Not last.timestamp: of a subcolumn FINAL keeps any row's.
    (newest,) = place.ask("SELECT tupleElement(max(last), 'timestamp') FROM stocks.latest")
    assert [newest] == place.ask("SELECT max(timestamp) FROM stocks.ticks FINAL")
