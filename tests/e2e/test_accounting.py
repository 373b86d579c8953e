"""What accounts for records, with real Kafka and ClickHouse and without Flink: rows and sink's dead
letters are inserted as the sink does."""

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clickhouse_connect.driver.client import Client

from jobs.accounting import collect, collected, missing_records
from jobs.accounting import collector as collector_module
from jobs.accounting.account import Account
from jobs.accounting.collected import Collected
from jobs.accounting.collection import Collection
from jobs.accounting.collector import Collector
from jobs.accounting.missing_records import MissingRecords
from jobs.targets import target
from lib import clickhouse, conf, kafka, migrations
from lib.errors import ServiceError
from lib.kafka import Span
from tests.conftest import Server
from tests.e2e.support import LIMIT, Place, sql_with, tick, ticks, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


TARGET = (
    "stocks.ticks (symbol, price, volume, timestamp, kafka_partition, kafka_offset,"
    " kafka_timestamp) ELSE stocks.dead_letters (reason)"
)


@dataclass
class Accounts:
    """One insert's tables and its topic."""

    place: Place
    client: Client
    kafka: MissingRecords
    account: Account
    collected: dict[int, Collected] = field(default_factory=dict)

    def store(self, offsets: Iterable[int], partition: int = 0) -> None:
        """Store a tick for each offset, as the sink does."""
        wanted = np.array([*offsets], dtype=np.int64)
        held = self.kafka.spans(self.place.topic)[partition].start
        records = self.kafka.read((self.place.topic, partition), wanted[wanted >= held])
        times = {record.offset: record.timestamp for record in records}
        rows = [
            {
                **tick(offset),
                "kafka_partition": partition,
                "kafka_offset": offset,
                "kafka_timestamp": times.get(offset, 0) / 1000,
                "inserted_by": self.account.writer,
            }
            for offset in wanted.tolist()
        ]
        self._insert(self.account.table, rows)

    def refuse(self, offset: int, reason: str, stage: str = "rule", partition: int = 0) -> None:
        """Store a dead letter without its record, as the sink does."""
        row = {
            "topic": self.account.topic,
            "kafka_partition": partition,
            "kafka_offset": offset,
            "stage": stage,
            "reason": reason,
            "has_record": False,
            "inserted_by": self.account.writer,
            "version": 0,
        }
        self._insert(self.account.dead_letters, [row])

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        lines = "\n".join(map(json.dumps, rows))
        settings = {"date_time_input_format": "best_effort"}
        self.client.raw_insert(table, insert_block=lines, fmt="JSONEachRow", settings=settings)

    def collect(self, end: int, partition: int = 0) -> int:
        """Account for all offsets up to `end`; return how many records the source left out."""
        found, now = 0, self.collected.get(partition, Collected(Span(0, 0)))
        while now.span.end < end:
            now, count = collect.step(self.client, self.kafka, self.account, partition, now, end)
            found += count
        self.collected[partition] = now
        return found

    def dead(self, columns: str = "kafka_offset, reason") -> list[Any]:
        rows = self.client.query(
            f"SELECT {columns} FROM {self.account.dead_letters} FINAL WHERE topic = {{t:String}}"
            " ORDER BY kafka_partition, kafka_offset",
            parameters={"t": self.account.topic},
            column_formats={"key": "bytes", "value": "bytes"},
        ).result_rows
        return [row if len(row) > 1 else row[0] for row in rows]


@pytest.fixture
def accounts(place: Place) -> Iterator[Accounts]:
    config = conf.load(environ=place.names)
    client = clickhouse.connect(config.clickhouse, compress=False)
    account = Account("stocks/ticks", place.topic, target.parse(TARGET))
    with missing_records.opened(place.servers, True) as topics:
        yield Accounts(place, client, topics, account)
    client.close()


def audited(place: Place, folder: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """The exit status of `make audit`, its JSON, and what it shows a user."""
    sql = sql_with(folder)
    insert = sql / "flink" / "stocks" / "900_insert_ticks.sql"
    insert.write_text(
        "-- One row of stocks.ticks per valid record.\nINSERT INTO inserted SELECT"
        f" clickhouse_insert('{TARGET}', symbol, price, volume, `timestamp`, kafka_partition,"
        " kafka_offset, kafka_timestamp, CAST(NULL AS STRING)) AS stored FROM raw_ticks"
    )
    place = place.having(SQL_DIR=sql)
    running = place.start("jobs", "audit", "stocks", *options)
    ended = place.run("jobs", "audit", "stocks", "--json", *options)
    shown = running.end()
    assert ended.code == shown.code and not ended.err and not shown.err
    return ended.code, json.loads(ended.out), shown.out


def test_what_no_table_has_becomes_a_dead_letter_with_its_bytes(accounts: Accounts) -> None:
    """And a dead letter of the sink gets its record."""
    large = b'{"symbol": "' + b"\xff" * 10_000_000
    values = [b"{}", None, b"", b"[]", b"[{}, {}]", b"ab\xff", b"{]", large, b'{"a": 1}', b"{}"]
    accounts.place.configure_topic({"max.message.bytes": 20_000_000})
    accounts.place.send_bytes([(b"key", value) for value in values])
    accounts.store([0])
    accounts.refuse(8, "price: NULL breaks price > 0")
    accounts.refuse(9, "several rows", stage="parse")
    assert accounts.collect(10) == 7
    assert accounts.dead() == [
        (1, "no value (a tombstone)"),
        (2, "an empty value"),
        (3, "an array without an object"),
        (4, "an array of 2 objects: one record is one row"),
        (5, "not UTF-8: byte 2 is 0xff"),
        (6, "not JSON: Expecting property name enclosed in double quotes: character 1"),
        (7, "not UTF-8: byte 12 is 0xff"),
        (8, "price: NULL breaks price > 0"),
        (9, "several rows"),
    ]
    assert accounts.dead("value") == values[1:]
    assert accounts.dead("stage, has_record, version, inserted_by") == [
        *[("parse", True, 1, "stocks/ticks")] * 7,
        ("rule", True, 1, "stocks/ticks"),
        ("parse", True, 1, "stocks/ticks"),
    ]
    assert set(accounts.dead("key")) == {b"key"}
    sent = accounts.dead("toUnixTimestamp64Milli(kafka_timestamp)")
    assert all(at > 1_700_000_000_000 for at in sent)


def test_offsets_without_a_record_are_passed_over(accounts: Accounts) -> None:
    """Ends of transactions, and the records of one that was aborted."""
    place = accounts.place
    for first in range(0, 30, 3):
        place.transact([*ticks(first, first + 2)], 0)
    place.transact(["aborted"] * 5, 0, commit=False)
    place.send_bytes([(None, b"last")])
    # Ten times two ticks and an end of a transaction, then six offsets without a record.
    accounts.store([offset for offset in range(30) if offset % 3 != 2])
    assert accounts.collect(37) == 1
    assert accounts.dead() == [(36, "not JSON: Expecting value: character 0")]


def test_compacted_records_are_passed_over(accounts: Accounts) -> None:
    """Kafka keeps the last record of each key, but for those of the segment that it writes to."""
    place = accounts.place
    place.configure_topic({"cleanup.policy": "compact", "min.cleanable.dirty.ratio": 0.001})
    place.configure_topic({"segment.ms": 100, "min.compaction.lag.ms": 0})
    place.send_bytes([(b"%d" % (number % 5), b"{}") for number in range(50)])

    def is_compacted() -> bool:
        place.send_bytes([(b"later", b"{}")])
        return len([*accounts.kafka.read((place.topic, 0), np.arange(45))]) == 0

    wait_until(is_compacted, "Kafka has compacted the topic")
    accounts.store([45, 46, 48])
    assert accounts.collect(50) == 2
    assert accounts.dead("kafka_offset") == [47, 49]


def test_records_that_kafka_deleted_are_lost_with_their_offsets(accounts: Accounts) -> None:
    place = accounts.place
    place.send_bytes([(None, b"{}")] * 30)
    accounts.store([0, 1, 2, 5, 6, 20])
    assert accounts.collect(3) == 0
    place.delete_records({0: 10})
    assert accounts.collect(20) == 10
    assert accounts.collect(21) == 0
    assert accounts.collected[0] == Collected(Span(0, 21), (Span(3, 5), Span(7, 10)))
    assert accounts.dead("kafka_offset") == [*range(10, 20)]


def test_how_far_it_came_is_kept_by_writer_and_by_id_of_the_topic(accounts: Accounts) -> None:
    client, account, database = accounts.client, accounts.account, "stocks"
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    collected.check(client, database)
    with pytest.raises(ServiceError, match=r"has no table system\.collected_offsets; run `make"):
        collected.check(client, "system")
    assert collected.read(client, database, account, first) == {}
    old, new = Collected(Span(2, 5)), Collected(Span(2, 9), (Span(5, 6), Span(7, 9)))
    collected.write(client, database, account, first, {0: old, 1: old})
    collected.write(client, database, account, first, {1: new})
    assert collected.read(client, database, account, first) == {0: old, 1: new}
    assert collected.read(client, database, account, second) == {}
    other = replace(account, writer="stocks/other")
    assert collected.read(client, database, other, first) == {}


def test_a_collection_that_is_repeated_changes_nothing(accounts: Accounts) -> None:
    """As after a kill between the dead letters and the note of how far it came."""
    accounts.place.send_bytes([(None, b"{}"), (None, b"x"), (None, b"y")])
    accounts.store([0])
    assert accounts.collect(2) == 1
    before = accounts.dead()
    accounts.collected.clear()
    assert accounts.collect(3) == 1
    assert accounts.dead() == [*before, (2, "not JSON: Expecting value: character 0")]


def test_an_audit_names_the_exact_offsets_that_are_missing_or_doubled(
    accounts: Accounts, tmp_path: Path
) -> None:
    """And counts what is stored, dead, without a record, not read yet, and lost."""
    place, client, account = accounts.place, accounts.client, accounts.account
    place.send_bytes([(None, b"deleted")] * 2)
    place.delete_records({0: 2})
    place.transact([*ticks(2, 12), "bad"], 0)
    place.transact(["aborted"] * 3, 0, commit=False)
    place.send_bytes([(None, b"x")] * 2)
    # Kafka has 2 to 12 and the end of the transaction, then three and an end, 18 and 19.
    topic_id = kafka.topic_ids(place.servers, [place.topic])[place.topic]
    accounts.store(range(2, 12))
    accounts.collected[0] = Collected(Span(0, 0))
    assert accounts.collect(18) == 1
    collected.write(client, "stocks", account, topic_id, accounts.collected)

    code, result, shown = audited(place, tmp_path)
    assert code == 0 and result["is_complete"]
    assert result["partitions"][0] == {
        "writer": "stocks/ticks",
        "topic": place.topic,
        "partition": 0,
        "is_complete": True,
        "first_offset": 2,
        "end_offset": 20,
        "collected_to": 18,
        "stored": 10,
        "dead_letters": 1,
        "no_record": 5,
        "removed": 0,
        "not_read": 2,
        "lost": [[0, 1]],
        "missing": [],
        "repeated": [],
        "stored_and_dead": [],
        "without_record": [],
        "different": [],
    }
    assert f"{place.topic}, partition 0: LOST offsets 0 to 1: Kafka deleted them" in shown
    assert shown.splitlines()[-1] == (
        "job stocks: 11 records, 1 of them dead letters: every record is accounted for, once"
    )

    client.command(
        "ALTER TABLE stocks.ticks DELETE WHERE kafka_offset IN (4, 7, 8)"
        " SETTINGS mutations_sync = 2"
    )
    accounts.store([5, 12])
    accounts.refuse(18, "made up")
    collected.write(client, "stocks", account, topic_id, {0: Collected(Span(0, 19))})
    code, result, shown = audited(place, tmp_path / "again")
    assert code == 1 and not result["is_complete"]
    audit = result["partitions"][0]
    assert (audit["missing"], audit["repeated"]) == ([[4, 4], [7, 8]], [[5, 5]])
    assert (audit["stored_and_dead"], audit["without_record"]) == ([[12, 12]], [[18, 18]])
    assert f"{place.topic}, partition 0: MISSING offsets 4, 7 to 8: in Kafka, and nei" in shown
    assert "partition 0: DOUBLED offset 5: several rows in stocks.ticks; " in shown
    assert "OPTIMIZE TABLE stocks.ticks FINAL" in shown
    assert "partition 0: DOUBLED offset 12: in stocks.ticks and stocks.dead_letters; " in shown
    assert "partition 0: INCOMPLETE offset 18: dead letters in stocks.dead_letters with" in shown
    assert shown.splitlines()[-1] == (
        "job stocks: 9 records, 1 of them dead letters: 3 missing, 2 doubled, 1 incomplete"
    )


def test_a_topic_that_does_not_exist_is_named(place: Place) -> None:
    error = place.having(KAFKA__TOPIC="absent").run("jobs", "audit", "stocks").error
    assert error.startswith(f"Kafka at {place.servers} has no topic absent; set kafka.topic")


def test_a_job_without_dead_letters_cannot_be_audited(place: Place, tmp_path: Path) -> None:
    folder = sql_with(tmp_path, "orders")
    error = place.having(SQL_DIR=folder).run("jobs", "audit", "orders").error
    assert error.startswith("job orders: no insert accounts for the records of its topic; name a")


def collection_of(accounts: Accounts) -> Collection:
    ids = kafka.topic_ids(accounts.place.servers, [accounts.place.topic])
    config = conf.load(environ=accounts.place.names)
    return Collection(config, [accounts.account], ids, True, None)


def collecting_from(accounts: Accounts, ends: dict[str, int]) -> Collector:
    """A collector over the test's account; a checkpoint's offset is found by its name."""
    place, collection = accounts.place, collection_of(accounts)
    return Collector(collection, lambda path: {(place.topic, 0): ends[path.name]})


def test_a_collector_goes_on_where_the_last_run_ended(accounts: Accounts) -> None:
    """Also if that was killed after it had stored dead letters, and before it had noted that."""
    place = accounts.place
    place.send_bytes([(None, b"bad %d" % number) for number in range(30)])
    collector = collecting_from(accounts, {"chk-1": 10, "chk-2": 20})
    assert collector.finish(Path("chk-1"), LIMIT)
    collector.close()
    assert collector.unparsed == len(accounts.dead()) == 10
    topic_id = kafka.topic_ids(place.servers, [place.topic])[place.topic]
    noted = collected.read(accounts.client, "stocks", accounts.account, topic_id)
    assert noted == {0: Collected(Span(0, 10))}

    # As if it had been killed between its two writes.
    accounts.collected[0] = noted[0]
    assert accounts.collect(15) == 5
    collector = collecting_from(accounts, {"chk-3": 20})
    assert collector.finish(Path("chk-3"), LIMIT)
    collector.close()
    assert collector.unparsed == 5
    assert accounts.dead("kafka_offset") == [*range(20)]
    noted = collected.read(accounts.client, "stocks", accounts.account, topic_id)
    assert noted == {0: Collected(Span(0, 20))}


def test_a_run_from_the_sources_accounts_again_for_all_that_kafka_has(accounts: Accounts) -> None:
    """As the tables may have been emptied; what Kafka had deleted stays lost."""
    place, client = accounts.place, accounts.client
    place.send_bytes([(None, b"bad")] * 8)
    place.delete_records({0: 2})
    topic_id = kafka.topic_ids(place.servers, [place.topic])[place.topic]
    before = Collected(Span(0, 8), (Span(1, 2),))
    collected.write(client, "stocks", accounts.account, topic_id, {0: before})
    collection = collection_of(accounts)
    collection.begin_again()
    noted = collected.read(client, "stocks", accounts.account, topic_id)
    assert noted == {0: Collected(Span(0, 2), (Span(1, 2),))}
    collection.collect({(place.topic, 0): 6}, lambda: True)
    noted = collected.read(client, "stocks", accounts.account, topic_id)
    assert noted == {0: Collected(Span(0, 6), (Span(1, 2),))}
    assert accounts.dead("kafka_offset") == [2, 3, 4, 5]


def test_a_collector_waits_for_clickhouse_and_says_so(
    accounts: Accounts, mortal: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector_module, "GRACE", 0.0)
    monkeypatch.setattr(collector_module, "RETRY", 0.1)
    place = accounts.place.having(CLICKHOUSE__PORT=mortal.settings.port)
    ids = kafka.topic_ids(place.servers, [place.topic])
    config = conf.load(environ=place.names)
    migrations.migrate_all(clickhouse.connect(mortal.settings), config, print)
    place.send_bytes([(None, b"bad")] * 5)
    ends = {"chk-1": 3, "chk-2": 5}
    collection = Collection(config, [accounts.account], ids, True, None)
    collector = Collector(collection, lambda path: {(place.topic, 0): ends[path.name]})
    assert collector.finish(Path("chk-1"), LIMIT) and collector.problem == ""
    mortal.kill()
    collector.collect(Path("chk-2"))
    wait_until(lambda: collector.problem, "it says that it cannot work")
    assert collector.problem.startswith(f"ClickHouse at {mortal.settings.address} does not answer")
    assert collector.uncollected == 2
    mortal.start()
    assert collector.finish(Path("chk-2"), LIMIT)
    assert (collector.problem, collector.uncollected, collector.unparsed) == ("", 0, 5)
    collector.close()


def test_a_bug_in_a_collector_ends_no_job(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(collector_module, "RETRY", 0.1)
    collector = collecting_from(accounts, {})
    assert not collector.finish(Path("unknown"), 0.5)
    wait_until(lambda: collector.problem, "it says so")
    assert collector.problem.startswith("records are not accounted for: KeyError('unknown'); ")
    collector.close()


def test_a_full_audit_names_each_value_that_is_not_as_in_kafka(
    accounts: Accounts, tmp_path: Path
) -> None:
    """Rows by the fields that have a column's name, and dead letters by their bytes."""
    place, client = accounts.place, accounts.client
    bad = [b"\xff", b"bad"]
    good = [json.dumps(tick(number)).encode() for number in range(2, 12)]
    place.send_bytes([(b"key", value) for value in [*bad, *good]])
    accounts.store(range(2, 12))
    assert accounts.collect(12) == 2
    topic_id = kafka.topic_ids(place.servers, [place.topic])[place.topic]
    collected.write(client, "stocks", accounts.account, topic_id, accounts.collected)
    code, result, _ = audited(place, tmp_path, "--full")
    assert (code, result["partitions"][0]["different"]) == (0, [])

    client.command(
        "ALTER TABLE stocks.ticks UPDATE price = price + 1e-12, volume = volume + (volume = 4),"
        " kafka_timestamp = kafka_timestamp + (volume = 5) WHERE kafka_offset IN (3, 4, 5)"
        " SETTINGS mutations_sync = 2"
    )
    client.command(
        "ALTER TABLE stocks.dead_letters UPDATE value = 'other', key = NULL"
        " WHERE topic = {t:String} AND kafka_offset = 0 SETTINGS mutations_sync = 2",
        parameters={"t": place.topic},
    )
    code, result, shown = audited(place, tmp_path / "again", "--full")
    assert code == 1
    different = result["partitions"][0]["different"]
    assert [fact for offset, fact in different if offset == 0] == [
        "its dead letter's key is None, and Kafka has b'key'",
        r"its dead letter's value is b'other', and Kafka has b'\xff'",
    ]
    assert [(offset, fact.split(" is ")[0]) for offset, fact in different if offset] == [
        (3, "price"),
        (4, "price"),
        (4, "volume"),
        (5, "kafka_timestamp"),
        (5, "price"),
    ]
    assert (
        f"{place.topic}, partition 0: DIFFERENT offset 4: volume is '5', and Kafka has '4'."
        in shown
    )
    assert shown.splitlines()[-1].endswith(": 7 different")
