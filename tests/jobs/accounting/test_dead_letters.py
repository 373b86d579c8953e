"""Dead letters with their records; ClickHouse is real."""

import pytest
from clickhouse_connect.driver.client import Client

from jobs.accounting import dead_letters
from jobs.accounting.account import Account
from jobs.accounting.dead_letters import DeadLetter
from jobs.targets.target import parse
from lib.kafka import Record
from tests.jobs.sink.test_writer import COLUMNS
from tests.jobs.targets.test_dead_letters import make


@pytest.mark.parametrize(
    ("time", "stored"),
    [
        (-(2**60), "1900-01-01 00:00:00.000"),
        (-1, "1969-12-31 23:59:59.999"),
        (2**62, "2299-12-31 23:59:59.999"),
    ],
)
def test_a_time_that_the_table_does_not_hold_is_the_nearest(
    client: Client, database: str, time: int, stored: str
) -> None:
    assert make(client, database) == ""
    target = parse(f"{database}.t {COLUMNS} ELSE {database}.dead (reason)")
    letter = DeadLetter(Record(0, time, None, None), "parse", "no value", "job/t")
    dead_letters.store(client, Account("job/t", "topic", target), 0, [letter])
    assert client.command(f"SELECT toString(kafka_timestamp) FROM {database}.dead") == stored
