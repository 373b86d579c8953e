"""Whether the sink can fill a table of dead letters; ClickHouse is real."""

import pytest
from clickhouse_connect.driver.client import Client

from jobs.targets import dead_letters
from jobs.targets.target import Target
from lib import sqlfiles
from lib.conf import ROOT

SQL = sqlfiles.read(ROOT / "sql" / "clickhouse" / "007_table_dead_letters.sql").text


def target(database: str) -> Target:
    return Target(database, "t", ("a",), "t", (database, "dead"))


def make(client: Client, database: str, text: str = SQL) -> str:
    client.command(text.replace("stocks.dead_letters", f"{database}.dead"))
    return " ".join(dead_letters.problems(client, target(database)))


def test_the_stock_table_is_right(client: Client, database: str) -> None:
    assert make(client, database) == ""


def test_a_target_without_dead_letters_needs_no_table(client: Client) -> None:
    assert dead_letters.problems(client, Target("s", "t", ("a",), "t")) == []


REMEDY = "; make it as sql/clickhouse/007_table_dead_letters.sql does."


@pytest.mark.parametrize(
    ("of", "to", "fact"),
    [
        ("    reason String", "    why String", "has no column reason"),
        ("ReplacingMergeTree(version)", "MergeTree", "is MergeTree ordered by topic, kafka_"),
        (
            "(topic, kafka_partition, kafka_offset)",
            "topic",
            "is ReplacingMergeTree(version) ordered by topic,",
        ),
        ("ReplacingMergeTree(version)", "ReplacingMergeTree", "is ReplacingMergeTree ordered by"),
        (
            "kafka_timestamp DateTime64(3, 'UTC')",
            "kafka_timestamp DateTime",
            "column kafka_timestamp is DateTime, not DateTime64(3, 'UTC');",
        ),
        ("version UInt32", "version UInt64", "column version is UInt64, not UInt32;"),
    ],
)
def test_another_table_is_refused(
    client: Client, database: str, of: str, to: str, fact: str
) -> None:
    problem = make(client, database, SQL.replace(of, to))
    assert problem.startswith(f"{database}.dead: {fact}") and problem.endswith(REMEDY)


def test_a_missing_table_is_named(client: Client, database: str) -> None:
    (problem,) = dead_letters.problems(client, target(database))
    assert problem == f"{database}.dead: table not found in ClickHouse{REMEDY}"
