"""Rows that are removed after a time: never while Kafka has their records, as far as Kafka says."""

import json
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from tests.e2e.support import LIMIT, Place, tick, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

DAY = 86_400_000


@pytest.fixture
def kept(place: Place) -> Iterator[Place]:
    """A place in which rows of both tables are kept for three days."""
    days = {"stocks.ticks": 3, "stocks.dead_letters": 3}
    yield place.having(RETENTION__DAYS=json.dumps(days))
    never = place.having(RETENTION__DAYS=json.dumps(dict.fromkeys(days)))
    assert never.run("lib.migrations").code == 0
    assert not place.ask("SELECT name FROM system.tables WHERE engine_full LIKE '% TTL %'")


def send(place: Place, values: list[bytes], age: int) -> None:
    """Send records with a timestamp of so many days ago."""
    producer = Producer({"bootstrap.servers": place.servers, "log_level": 0})
    for value in values:
        timestamp = int(1e3 * time.time()) - age * DAY
        producer.produce(place.topic, value, partition=0, timestamp=timestamp)
    assert producer.flush(LIMIT) == 0


def collected_to(place: Place) -> int:
    """How far the records of the first partition are accounted for."""
    table = "stocks.collected_offsets FINAL"
    ((offset,),) = place.ask(
        f"SELECT collected_to FROM {table} WHERE topic = '{place.topic}' AND kafka_partition = 0"
    )
    return int(offset)


def audit(place: Place) -> dict[str, int]:
    """The numbers of an audit that finds nothing wrong."""
    ended = place.run("jobs", "audit", "stocks", "--json")
    assert ended.code == 0, ended.out
    parts = json.loads(ended.out)["partitions"]
    names = ("stored", "dead_letters", "removed", "not_read")
    return {name: sum(part[name] for part in parts) for name in names}


def test_removed_rows_are_neither_missing_nor_stored_again(kept: Place) -> None:
    """Kafka may have records that are older than its retention: it deletes whole segments."""
    assert "topic " + kept.topic + " for 7 days" in kept.run("lib.migrations").error
    kept.configure_topic({"retention.ms": DAY})
    ticks = [json.dumps(tick(number)).encode() for number in range(300)]
    send(kept, [*ticks[:200], b"no JSON"], age=4)
    send(kept, [*ticks[200:], b"no JSON"], age=0)
    expected = {"stored": 100, "dead_letters": 1, "removed": 201, "not_read": 0}
    job = kept.run_job()
    assert any("stocks.ticks: rows are kept for 3 days" in line for line in job.out), job.said
    wait_until(lambda: kept.count() >= 100, "the new ticks")
    kept.stop_job(job)
    assert audit(kept) == expected
    job = kept.run_job("stocks", "--fresh")
    wait_until(lambda: collected_to(kept) == len(ticks) + 2, "all is accounted for again")
    kept.stop_job(job)
    assert audit(kept) == expected
