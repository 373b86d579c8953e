"""Dead letters beside their records; ClickHouse is real, and the records are given."""

from collections.abc import Iterator, Sequence
from typing import Any

from clickhouse_connect.driver.client import Client

from jobs.accounting import content, dead_letters
from jobs.accounting.account import Account
from jobs.accounting.dead_letters import DeadLetter
from jobs.targets.target import parse
from lib.kafka import Record, Span
from tests.jobs.sink.test_writer import COLUMNS, table
from tests.jobs.targets.test_dead_letters import make

__all__ = ["table"]


class Records:
    """In the place of the records in Kafka."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records

    def read(self, *_: object) -> Iterator[Record]:
        yield from self._records


def test_a_dead_letter_differs_by_any_byte_and_none_that_is_the_same(
    client: Client, database: str, table: str
) -> None:
    """Large values are compared by their digests; a difference shows how they begin."""
    assert make(client, database) == ""
    account = Account("job/t", "topic", parse(f"{table} {COLUMNS} ELSE {database}.dead (reason)"))
    large = b"\xff" * 1_000_000
    records = [Record(0, 5, None, None), Record(1, 5, b"", b""), Record(2, 2**62, b"k", large)]
    letters = [DeadLetter(record, "parse", "bad", "job/t") for record in records]
    dead_letters.store(client, account, 0, letters)

    def differences(kept: Sequence[Record]) -> list[tuple[int, str]]:
        kafka: Any = Records(kept)
        found = content.compare(client, kafka, account, 0, Span(0, 3), [])
        return [(each.offset, each.fact) for each in found]

    assert differences(records) == []
    others = [Record(0, 6, None, b""), Record(1, 5, b"x", None), Record(2, 5, b"k", large[:-1])]
    facts = differences(others)
    assert facts[:4] == [
        (0, "its dead letter's timestamp is 5, and Kafka has 6"),
        (0, "its dead letter's value is None, and Kafka has b''"),
        (1, "its dead letter's key is b'', and Kafka has b'x'"),
        (1, "its dead letter's value is b'', and Kafka has None"),
    ]
    assert facts[4] == (2, "its dead letter's timestamp is 10413791999999, and Kafka has 5")
    assert facts[5][1].startswith(r"its dead letter's value is b'\xff\xff") and len(facts) == 6
