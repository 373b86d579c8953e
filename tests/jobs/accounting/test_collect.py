"""Accounting for a partition; ClickHouse is real, and the records are given."""

from typing import Any

from clickhouse_connect.driver.client import Client

from jobs.accounting import accounted, collect
from jobs.accounting.account import Account
from jobs.accounting.collected import Collected
from jobs.targets.target import parse
from lib.kafka import Record, Span
from tests.jobs.accounting.test_content import Records
from tests.jobs.sink.test_writer import COLUMNS, table
from tests.jobs.targets.test_dead_letters import make

__all__ = ["table"]


class Topic(Records):
    def spans(self, _: str) -> dict[int, Span]:
        return {0: Span(0, 10)}


def test_a_replayed_dead_letter_whose_row_was_removed_is_a_dead_letter_again(
    client: Client, database: str, table: str
) -> None:
    assert make(client, database) == ""
    account = Account("job/t", "topic", parse(f"{table} {COLUMNS} ELSE {database}.dead (reason)"))
    client.command(
        f"INSERT INTO {database}.dead (topic, kafka_offset, inserted_by, replayed_at, version)"
        " VALUES ('topic', 1, 'job/t', now64(3), 4)"
    )
    kafka: Any = Topic([Record(0, 5, None, b"x"), Record(1, 5, None, b"{}")])
    start = Collected(Span(0, 0))
    assert collect.step(client, kafka, account, 0, start, 2) == (Collected(Span(0, 2)), 2)
    known = accounted.read(client, account, 0, Span(0, 2))
    assert known.dead_letters.tolist() == [0, 1] and not len(known.missing)
    versions = client.query(f"SELECT version FROM {database}.dead FINAL ORDER BY kafka_offset")
    assert versions.result_columns == [[1, 5]]
