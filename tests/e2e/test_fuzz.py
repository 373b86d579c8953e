"""Every record of a topic, whatever it holds, is in exactly one of the two tables, once."""

import json
import re
from collections import Counter, defaultdict
from dataclasses import replace
from functools import partial

import pytest
from confluent_kafka import Message, Producer

from tests.e2e import fuzz
from tests.e2e.support import LIMIT, PARTITIONS, ROOT, Place, copy_project, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

SEED, COUNT = 1, 100_000

Kinds = dict[tuple[int, int], str]

OUTCOMES = {
    fuzz.TICK: "a tick",
    fuzz.PARSE: "a dead letter, stage `parse`",
    fuzz.RULE: "a dead letter, stage `rule`",
    fuzz.ANY: "a tick if it is still valid, else a dead letter",
}


def test_the_document_says_what_becomes_of_each_kind() -> None:
    table = (ROOT / "docs" / "guarantees.md").read_text().partition("| a record | becomes |")[2]
    rows = re.findall(r"^\| (.+) \| (.+) \|$", table.partition("\n\n")[0], re.MULTILINE)
    assert dict(rows) == {name: OUTCOMES[kind.outcome] for name, kind in fuzz.KINDS.items()}


def send(place: Place) -> Kinds:
    """Send the records; return the kind of each, by partition and offset."""
    kinds: Kinds = {}
    producer = Producer({"bootstrap.servers": place.servers, "linger.ms": 20, "log_level": 0})

    def note(kind: str, error: object, message: Message) -> None:
        assert error is None, error
        kinds[message.partition(), message.offset()] = kind

    for number, (kind, value) in enumerate(fuzz.generate(SEED, COUNT)):
        producer.produce(
            place.topic,
            value,
            f"key {number}",
            number % PARTITIONS,
            on_delivery=partial(note, kind),
        )
        producer.poll(0)
    assert producer.flush(LIMIT) == 0 and len(kinds) == COUNT
    return kinds


def outcomes(place: Place) -> dict[tuple[int, int], list[str]]:
    """The outcomes of each record: a tick, or the stage of a dead letter."""
    where = defaultdict(list)
    for partition, offset in place.ask("SELECT kafka_partition, kafka_offset FROM stocks.ticks"):
        where[partition, offset].append(fuzz.TICK)
    letters = (
        "SELECT kafka_partition, kafka_offset, stage FROM stocks.dead_letters FINAL"
        f" WHERE topic = '{place.topic}'"
    )
    for partition, offset, stage in place.ask(letters):
        where[partition, offset].append(stage)
    return where


def in_parallel(place: Place, tasks: int) -> Place:
    """The same with a copy of the project whose jobs have so many tasks."""
    project = copy_project(place.folder / "project")
    (project / "lib" / "jars").symlink_to(ROOT / "lib" / "jars")
    file, option = project / "conf" / "flink.yaml", "parallelism.default: "
    text = file.read_text(encoding="utf-8")
    assert f"\n{option}1\n" in text
    file.write_text(text.replace(f"{option}1", f"{option}{tasks}"), encoding="utf-8")
    return replace(place, root=project)


def test_each_of_100_000_records_is_a_tick_or_a_dead_letter(place: Place) -> None:
    """Two tasks, of which each writes ticks and dead letters of its own partitions."""
    place = in_parallel(place, 2)
    job = place.run_job()
    kinds = send(place)
    print(json.dumps(Counter(kinds.values()), indent=1))
    in_all = "SELECT count() + (SELECT count() FROM stocks.dead_letters FINAL WHERE topic = '{}')"
    query = in_all.format(place.topic) + " FROM stocks.ticks"
    wait_until(lambda: place.ask(query) == [[COUNT]], "each record is accounted for")
    where = outcomes(place)
    assert where.keys() == kinds.keys()
    assert {len(tables) for tables in where.values()} == {1}
    wrong = [
        (record, kind, where[record])
        for record, kind in kinds.items()
        if fuzz.KINDS[kind].outcome not in (fuzz.ANY, where[record][0])
    ]
    assert wrong == []
    place.stop_job(job)
    audit = place.run("jobs", "audit", "stocks", "--json")
    assert audit.code == 0, audit.out
