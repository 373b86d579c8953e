"""What ClickHouse has of a partition's records; ClickHouse is real."""

import pytest
from clickhouse_connect.driver.client import Client

from jobs.accounting import accounted
from jobs.accounting.account import Account
from jobs.targets.target import parse
from lib.kafka import Span
from tests.jobs.sink.test_writer import COLUMNS, table
from tests.jobs.targets.test_dead_letters import make

__all__ = ["table"]


@pytest.mark.parametrize(("replayed_by", "counted"), [("job/t", []), ("other/t", [3])])
def test_a_replayed_dead_letter_counts_unless_the_row_is_of_the_same_writer(
    client: Client, database: str, table: str, replayed_by: str, counted: list[int]
) -> None:
    """Two jobs may share a topic and its dead letters."""
    assert make(client, database) == ""
    account = Account("job/t", "topic", parse(f"{table} {COLUMNS} ELSE {database}.dead (reason)"))
    client.command(
        f"INSERT INTO {database}.dead (topic, kafka_offset, inserted_by, replayed_at, version)"
        " VALUES ('topic', 3, {writer:String}, now64(3), 2)",
        parameters={"writer": replayed_by},
    )
    known = accounted.read(client, account, 0, Span(3, 4))
    assert known.dead_letters.tolist() == counted
    assert len(known.missing) == 1 - len(counted)
