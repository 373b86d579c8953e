"""Batches with records that are no row of the table, without Flink; ClickHouse is real."""

import secrets
from dataclasses import replace
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client

from jobs.sink import writer as writers
from jobs.sink.clickhouse_insert import ClickHouseInsert, SinkSettings
from jobs.sink.dead_letters import SEVERAL, DeadLetters
from jobs.sink.store import Store
from jobs.sink.writer import Inserted, Writer
from jobs.targets.target import parse
from lib.errors import SinkError
from lib.settings import ClickHouse
from tests.jobs.sink.test_clickhouse_insert import Context
from tests.jobs.sink.test_writer import COLUMNS, EPOCH, partition, stored, table, values
from tests.jobs.targets.test_dead_letters import make

__all__ = ["table"]

TOPIC = "topic"


@pytest.fixture
def dead(client: Client, database: str) -> str:
    assert make(client, database) == ""
    return f"{database}.dead"


def text(table: str, dead: str) -> str:
    return f"{table} {COLUMNS} ELSE {dead} (reason)"


def attempt(client: Any, table: str, dead: str, job: str = "job") -> Writer:
    target, number = parse(text(table, dead)), secrets.token_hex(8)
    writer = f"{job}-{table}/{target.name}"
    letters = DeadLetters(client, target, TOPIC, writer, number)
    return Writer(Store(client, target, writer, number), letters)


def run(
    writer: Writer, *places: tuple[int, int], reasons: dict[int, str] | None = None, n: Any = None
) -> Inserted:
    """Insert these records; `reasons` by offset, `n` in place of the values."""
    given = values(*places)
    reason = pa.array([(reasons or {}).get(offset) for _, offset in places], pa.string())
    return writer.insert((given[0] if n is None else n, *given[1:], reason), len(places))


def kept(client: Client, dead: str) -> list[tuple[Any, ...]]:
    """Partition, offset, stage and reason of each dead letter."""
    query = f"SELECT kafka_partition, kafka_offset, stage, reason FROM {dead} FINAL ORDER BY ALL"
    return [tuple(row) for row in client.query(query).result_rows]


def test_a_row_with_a_reason_is_a_dead_letter_and_the_others_are_stored(
    client: Client, table: str, dead: str
) -> None:
    reasons = {1: "a: 'x' is no number", 3: "b: missing"}
    inserted = run(attempt(client, table, dead), *partition(0, 5), reasons=reasons)
    assert inserted.is_stored.tolist() == [True, False, True, False, True]
    assert inserted.dead_letters == 2
    assert stored(client, table) == [(0, 0), (0, 2), (0, 4)]
    assert kept(client, dead) == [(0, o, "rule", why) for o, why in reasons.items()]
    (row,) = client.query(
        f"SELECT topic, toUnixTimestamp64Milli(kafka_timestamp), key, value, has_record,"
        f" inserted_by, version FROM {dead} FINAL WHERE kafka_offset = 3"
    ).result_rows
    assert row == (TOPIC, EPOCH + 3, None, None, False, f"job-{table}/t", 0)


def test_a_replay_changes_nothing_even_if_the_rules_have_changed(
    client: Client, table: str, dead: str
) -> None:
    run(attempt(client, table, dead), *partition(0, 6), reasons={1: "old", 4: "old", 5: "old"})
    again = run(attempt(client, table, dead), *partition(0, 7), reasons={0: "new", 6: "new"})
    assert not again.is_stored.any()
    assert again.dead_letters == 1
    assert stored(client, table) == [(0, 0), (0, 2), (0, 3)]
    assert [row[1:] for row in kept(client, dead)] == [
        (1, "rule", "old"), (4, "rule", "old"), (5, "rule", "old"), (6, "rule", "new"),
    ]  # fmt: skip


def test_dead_letters_that_were_stored_before_the_rows_of_their_batch_failed_stay_the_only_ones(
    client: Client, table: str, dead: str
) -> None:
    writer = attempt(client, table, dead)
    run(writer, (0, 0))
    client.command(f"RENAME TABLE {table} TO {table}_hidden")
    with pytest.raises(SinkError, match="UNKNOWN_TABLE"):
        run(writer, *partition(0, 1, 4), reasons={3: "x"})
    client.command(f"RENAME TABLE {table}_hidden TO {table}")
    assert kept(client, dead) == [(0, 3, "rule", "x")]
    assert run(attempt(client, table, dead), *partition(0, 4)).is_stored.tolist() == [
        False, True, True, False,
    ]  # fmt: skip
    assert (stored(client, table), len(kept(client, dead))) == (partition(0, 3), 1)


def test_a_value_that_does_not_fit_becomes_a_dead_letter_of_the_sink(
    client: Client, table: str, dead: str
) -> None:
    n = pa.array(["1", "x", "3", None, "5", "y"])
    inserted = run(attempt(client, table, dead), *partition(0, 6), n=n)
    assert inserted.dead_letters == 3
    assert stored(client, table) == [(0, 0), (0, 2), (0, 4)]
    letters = kept(client, dead)
    assert [row[:3] for row in letters] == [(0, offset, "sink") for offset in (1, 3, 5)]
    assert letters[0][3].startswith("column n Int64 cannot take x: ")
    assert letters[1][3].startswith("column n Int64: the column takes no NULL; ")


def test_a_batch_of_bad_values_alone_stores_no_row(client: Client, table: str, dead: str) -> None:
    inserted = run(attempt(client, table, dead), *partition(0, 50), n=pa.array(["x"] * 50))
    assert (inserted.dead_letters, stored(client, table)) == (50, [])


def test_values_that_fit_one_by_one_and_not_together_stop_the_job(
    client: Client, table: str, dead: str
) -> None:
    mixed = pd.Series([1, "2"], dtype=object)
    with pytest.raises(SinkError, match=f"{table}: .*column n Int64"):
        run(attempt(client, table, dead), *partition(0, 2), n=mixed)
    assert (stored(client, table), kept(client, dead)) == ([], [])


def test_a_row_that_clickhouse_refuses_for_its_value_is_found_and_the_others_are_stored(
    client: Client, table: str, dead: str
) -> None:
    client.command(f"ALTER TABLE {table} ADD CONSTRAINT uneven CHECK n NOT IN (7, 12)")
    inserted = run(attempt(client, table, dead), *partition(0, 20))
    assert inserted.dead_letters == 2
    assert inserted.is_stored.tolist() == [offset not in (7, 12) for offset in range(20)]
    assert len(stored(client, table)) == 18
    assert [row[:3] for row in kept(client, dead)] == [(0, 7, "sink"), (0, 12, "sink")]
    assert "Constraint `uneven`" in kept(client, dead)[0][3]
    assert not run(attempt(client, table, dead), *partition(0, 20)).is_stored.any()


def test_a_table_that_refuses_too_many_rows_stops_the_job(
    client: Client, table: str, dead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "REFUSED_LIMIT", 10)
    client.command(f"ALTER TABLE {table} ADD CONSTRAINT few CHECK n < 5")
    assert run(attempt(client, table, dead), *partition(0, 15)).dead_letters == 10
    with pytest.raises(SinkError, match="Constraint `few`"):
        run(attempt(client, table, dead), *partition(0, 15, 30))
    assert len(kept(client, dead)) == 20


def test_a_view_that_refuses_a_row_stops_the_job(client: Client, table: str, dead: str) -> None:
    client.command(
        f"CREATE MATERIALIZED VIEW {table}_v ENGINE = MergeTree ORDER BY d AS"
        f" SELECT intDiv(10, n - 3) AS d FROM {table}"
    )
    with pytest.raises(SinkError, match="ILLEGAL_DIVISION"):
        run(attempt(client, table, dead), *partition(0, 5))
    assert kept(client, dead) == []


def test_a_missing_table_of_dead_letters_is_no_dead_letter(
    client: Client, table: str, dead: str
) -> None:
    writer = attempt(client, table, dead)
    run(writer, (0, 0))
    client.command(f"DROP TABLE {dead}")
    with pytest.raises(SinkError, match=f"{dead}: ClickHouse refuses the rows: .*UNKNOWN_TABLE"):
        run(writer, (0, 1), reasons={1: "x"})


def test_a_value_of_another_type_than_the_column_takes_is_no_dead_letter(
    client: Client, table: str, dead: str
) -> None:
    """As after a change of the table while the job runs: no row can be stored."""
    n = pa.array([True, False])
    with pytest.raises(SinkError, match="column n Int64: it is bool, not what the column holds"):
        run(attempt(client, table, dead), *partition(0, 2), n=n)
    assert kept(client, dead) == []


def test_a_dead_letter_of_another_job_is_stored_if_the_rules_of_this_one_take_it(
    client: Client, table: str, dead: str
) -> None:
    run(attempt(client, table, dead, "strict"), *partition(0, 4), reasons={1: "x", 3: "x"})
    own = run(attempt(client, table, dead, "other"), *partition(0, 4))
    assert own.is_stored.all()
    assert stored(client, table, f"inserted_by = 'other-{table}/t'") == partition(0, 4)


def test_a_dead_letter_that_was_replayed_is_stored_again_in_a_table_that_was_emptied(
    client: Client, table: str, dead: str
) -> None:
    run(attempt(client, table, dead), *partition(0, 3), reasons={1: "x"})
    client.command(
        f"INSERT INTO {dead} (topic, kafka_partition, kafka_offset, kafka_timestamp, inserted_by,"
        " replayed_at, version) SELECT topic, kafka_partition, kafka_offset, kafka_timestamp,"
        f" inserted_by, now64(3), 2 FROM {dead}"
    )
    client.command(f"TRUNCATE TABLE {table}")
    assert run(attempt(client, table, dead), *partition(0, 3)).is_stored.all()


@pytest.mark.parametrize("time", [-(2**50), EPOCH * 1000, 2**62])
def test_a_kafka_timestamp_that_no_table_holds_is_a_dead_letter_with_the_nearest(
    client: Client, table: str, dead: str, time: int
) -> None:
    """A producer may send one, such as microseconds for milliseconds."""
    times = pa.array([EPOCH, time, EPOCH], pa.timestamp("ms", "UTC"))
    rows = (*values(*partition(0, 3))[:3], times, pa.array([None] * 3, pa.string()))
    assert attempt(client, table, dead).insert(rows, 3).is_stored.tolist() == [True, False, True]
    ((_, offset, stage, reason),) = kept(client, dead)
    assert (offset, stage) == (1, "sink")
    assert f"{time}: beyond what DateTime64(3, 'UTC') can hold" in reason
    client.command(f"TRUNCATE TABLE {table}")
    assert attempt(client, table, dead).insert(rows, 3).is_stored.tolist() == [True, False, True]
    nearest = client.query(f"SELECT kafka_timestamp FROM {dead}").result_rows[0][0]
    assert nearest.year == (1900 if time < 0 else 2299)


def test_times_in_whole_seconds_are_those_of_the_same_records(
    client: Client, table: str, dead: str
) -> None:
    """A dead letter that the collector has completed has the milliseconds."""
    client.command(f"ALTER TABLE {table} MODIFY COLUMN kafka_timestamp DateTime('UTC')")
    seconds = pa.array([EPOCH // 1000] * 2, pa.timestamp("s", "UTC"))
    rows = (*values(*partition(0, 2))[:3], seconds, pa.array([None, "x"]))
    attempt(client, table, dead).insert(rows, 2)
    client.command(
        f"ALTER TABLE {dead} UPDATE kafka_timestamp = kafka_timestamp + 0.123 WHERE true"
        " SETTINGS mutations_sync = 2"
    )
    again = attempt(client, table, dead).insert(rows, 2)
    assert not again.is_stored.any() and not again.dead_letters


class TestARecordOfSeveralRows:
    """None of them is stored, whatever the boundaries of batches are."""

    LETTER = (0, 1, "parse", SEVERAL.reason)

    def test_it_is_one_dead_letter(self, client: Client, table: str, dead: str) -> None:
        places = [(0, 0), (0, 1), (1, 1), (0, 1), (0, 1), (0, 2)]
        inserted = run(attempt(client, table, dead), *places, reasons={2: "x"})
        assert inserted.dead_letters == 2
        assert stored(client, table) == [(0, 0), (1, 1)]
        assert kept(client, dead) == [self.LETTER, (0, 2, "rule", "x")]

    def test_valid_and_invalid_ones_are_one_dead_letter(
        self, client: Client, table: str, dead: str
    ) -> None:
        writer = attempt(client, table, dead)
        given = values((0, 1), (0, 1), (0, 2))
        writer.insert((*given, pa.array([None, "bad", None])), 3)
        assert (stored(client, table), kept(client, dead)) == ([(0, 2)], [self.LETTER])

    def test_a_batch_may_end_within_it(self, client: Client, table: str, dead: str) -> None:
        writer = attempt(client, table, dead)
        run(writer, (0, 0), (0, 1))
        run(writer, (0, 1), (0, 2))
        run(writer, (0, 3))
        assert stored(client, table) == [(0, 0), (0, 2), (0, 3)]
        assert kept(client, dead) == [self.LETTER]

    def test_a_kill_between_its_rows_leaves_no_half(
        self, client: Client, table: str, dead: str
    ) -> None:
        run(attempt(client, table, dead), (0, 0), (0, 1))
        run(attempt(client, table, dead), (0, 0), (0, 1), (0, 1), (0, 2))
        assert stored(client, table) == [(0, 0), (0, 2)]
        assert kept(client, dead) == [self.LETTER]
        run(attempt(client, table, dead), (0, 0), (0, 1), (0, 1), (0, 2))
        assert (len(stored(client, table)), len(kept(client, dead))) == (2, 1)


def test_a_recreated_topic_is_refused_at_a_dead_letter_too(
    client: Client, table: str, dead: str
) -> None:
    run(attempt(client, table, dead), (0, 0), reasons={0: "x"})
    later = (*values((0, 0), topic=EPOCH + 5), pa.array([None], pa.string()))
    with pytest.raises(SinkError) as error:
        attempt(client, table, dead).insert(later, 1)
    assert str(error.value) == (
        f"{dead}: partition 0, offset 0 holds another record than the one stored from there: the "
        "topic was recreated, or is another; "
        f"remove them (DELETE FROM {dead} WHERE topic = '{TOPIC}')."
    )


def sink(settings: ClickHouse, **more: Any) -> ClickHouseInsert:
    opened = ClickHouseInsert(SinkSettings(settings, secrets.token_hex(4), **more))
    opened.open(Context())
    return opened


def test_without_keeping_the_first_dead_letter_stops_the_job(
    clickhouse: ClickHouse, client: Client, table: str, dead: str
) -> None:
    target = text(table, dead)
    reason = pa.array([None, "a: 'x' is no number"]).to_pandas()
    stops = sink(clickhouse, topics={target: TOPIC}, keeps_dead_letters=False)
    with pytest.raises(SinkError) as error:
        stops.eval(target, *values(*partition(0, 2)), reason)
    assert str(error.value) == (
        f"clickhouse_insert: {table}: partition 0, offset 1: a: 'x' is no number; correct its "
        "producer or the rule, or set dead_letters.keep to true."
    )
    assert (stored(client, table), kept(client, dead)) == ([], [])


def test_what_is_a_dead_letter_already_is_none_to_stop_at_when_they_are_kept_no_longer(
    clickhouse: ClickHouse, client: Client, table: str, dead: str
) -> None:
    """Nor does a rule that takes it now make it a row beside the dead letter."""
    target, writer = text(table, dead), f"job-{table}"
    places = [(0, 0), (0, 1), (0, 2), (0, 2)]
    settings = SinkSettings(clickhouse, writer, {target: TOPIC})
    for keeps, reasons in (
        (True, [None, "x", None, None]),
        (False, ["x"] * 4),
        (False, [None] * 4),
    ):
        made = ClickHouseInsert(replace(settings, keeps_dead_letters=keeps))
        made.open(Context())
        made.eval(target, *values(*places), pa.array(reasons, pa.string()).to_pandas())
        assert stored(client, table) == [(0, 0)]
    assert kept(client, dead) == [(0, 1, "rule", "x"), (0, 2, "parse", SEVERAL.reason)]


def test_a_table_beside_the_one_that_accounts_for_a_topic_gets_no_row_of_several(
    clickhouse: ClickHouse, client: Client, table: str, dead: str
) -> None:
    target, topics = f"{table} {COLUMNS}", {text(table, dead): TOPIC}
    beside = sink(clickhouse, topics=topics, beside=frozenset({target}))
    assert beside.eval(target, *values((0, 0), (0, 1), (0, 1))).tolist() == [1, 0, 0]
    assert (stored(client, table), kept(client, dead)) == ([(0, 0)], [])


@pytest.mark.parametrize("keeps", [True, False])
def test_a_record_of_several_rows_that_no_insert_accounts_for_stops_the_job(
    clickhouse: ClickHouse, client: Client, table: str, dead: str, keeps: bool
) -> None:
    target, topics = f"{table} {COLUMNS}", {text(table, dead): TOPIC}
    # Of another topic; or of the same one, whose dead letters are not kept.
    beside = frozenset() if keeps else frozenset({target})
    other = sink(clickhouse, topics=topics, beside=beside, keeps_dead_letters=keeps)
    with pytest.raises(SinkError, match="offset 1: one record became several rows"):
        other.eval(target, *values((0, 0), (0, 1), (0, 1)))
    assert stored(client, table) == []
