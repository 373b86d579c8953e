"""Stores the rows of a replay in the job's tables, each once, and marks their dead letters."""

from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from jobs.dead_letters.staging import Staging
from jobs.sink import insert_policy
from jobs.sink.store import Store
from jobs.targets import table
from jobs.targets.target import PLACE, Target
from lib.quoting import quote_name

# The records of the replay of which a table has a row of the writer. Not by the stored offset: all
# replayed records are below it.
_STORED = (
    "(SELECT kafka_partition, kafka_offset FROM {table} WHERE inserted_by = {{writer:String}}"
    " AND (kafka_partition, kafka_offset) IN"
    " (SELECT kafka_partition, kafka_offset FROM {places}))"
)
_ROWS = """
INSERT INTO {table} ({columns})
SELECT {values}
FROM {staged} AS s
INNER JOIN {places} AS p ON s.kafka_offset = p.number
WHERE (p.kafka_partition, p.kafka_offset) NOT IN {stored} AND ({passed})
ORDER BY p.number
"""
_COPIED = (
    "topic", "kafka_partition", "kafka_offset", "kafka_timestamp", "key", "value", "has_record",
    "inserted_by", "inserted_at",
)  # fmt: skip
_REPLAYED = """
INSERT INTO {dead} ({copied}, stage, reason, replayed_at, version)
SELECT {letters}, l.stage, l.reason, now64(3, 'UTC'), l.version + 1
FROM {table} AS l
WHERE (l.kafka_partition, l.kafka_offset) IN {stored}
"""
_REASONS = """
INSERT INTO {dead} ({copied}, stage, reason, version)
SELECT {letters}, s.stage, s.reason, l.version + 1
FROM {table} AS l
INNER JOIN {staged} AS s ON l.number = s.kafka_offset
WHERE (l.stage, l.reason) != (s.stage, s.reason)
    AND (l.kafka_partition, l.kafka_offset) NOT IN {stored}
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many dead letters are stored now, are refused again, and cannot be read by the source."""

    stored: int
    refused: int
    unread: int


def expected(client: Client, staging: Staging) -> Outcome:
    """The outcome by the tables of the replay alone: what `store` would do."""
    stored = client.command(f"SELECT count() FROM {staging.targets[staging.call.target].table}")
    refused = client.command(f"SELECT count() FROM {staging.dead} FINAL")
    assert isinstance(stored, int) and isinstance(refused, int)
    return Outcome(stored, refused, staging.count - stored - refused)


def store(client: Client, job: str, staging: Staging, name: str) -> Outcome:
    """Store the new rows, then mark their dead letters. A replay that was interrupted in between
    stores nothing twice when it is run again, and marks them then."""
    for target, staged in staging.targets.items():
        _store_rows(client, staging, target, staged, f"{job}/{target.name}", name)
    target = staging.call.target
    writer = {"writer": f"{job}/{target.name}"}
    names = {
        "dead": target.dead_letter_table,
        "copied": ", ".join(map(quote_name, _COPIED)),
        "letters": ", ".join(f"l.{quote_name(column)}" for column in _COPIED),
        "table": staging.letters,
        "staged": f"(SELECT * FROM {staging.dead} FINAL)",
        "stored": _stored(target, staging),
    }
    for sql in (_REPLAYED, _REASONS):
        client.command(sql.format(**names), parameters=writer, settings=_ONE_PIECE)
    count = client.command(f"SELECT count() FROM {_stored(target, staging)}", parameters=writer)
    assert isinstance(count, int)
    outcome = expected(client, staging)
    return Outcome(count, outcome.refused, staging.count - count - outcome.refused)


# One insert is one part: stored whole or not at all.
_ONE_PIECE = {"max_threads": 1, "max_insert_threads": 1, "async_insert": 0}


def _store_rows(
    client: Client, staging: Staging, target: Target, staged: Target, writer: str, name: str
) -> None:
    store = Store(client, target, writer, name)
    # An insert of a replay that was killed may still run.
    store.wait_for_earlier()
    columns = table.names(table.read(client, target), target)
    own = {column: f"p.{column}" for column in PLACE} | {"inserted_by": "{writer:String}"}
    sql = _ROWS.format(
        table=target.table,
        columns=", ".join(map(quote_name, columns)),
        values=", ".join(own.get(column, f"s.{quote_name(column)}") for column in columns),
        staged=staged.table,
        places=staging.places,
        stored=_stored(target, staging),
        passed=_passed(store, staging),
    )
    settings = insert_policy.settings(f"{writer}/{name}", f"{writer}/{name}") | _ONE_PIECE
    client.command(sql, parameters={"writer": writer}, settings=settings)


def _passed(store: Store, staging: Staging) -> str:
    """The condition that the writer has passed a record: an insert that is new reads all records
    when the job runs, and would leave out those before a row of its own."""
    if staging.has_run or store.target.dead_letters:
        return "true"
    ends = store.stored_offsets()
    passed = [f"p.kafka_partition = {p} AND p.kafka_offset <= {last}" for p, last in ends.items()]
    return " OR ".join(passed) or "false"


def _stored(target: Target, staging: Staging) -> str:
    return _STORED.format(table=target.table, places=staging.places)
