"""The tables of one replay: its dead letters, and the rows and new dead letters made from them.

They are in the databases of the job's own tables. Those of a replay that was killed are dropped by
the next one of the job.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from jobs import job as jobs
from jobs.flink import state
from jobs.job import Job
from jobs.targets import calls
from jobs.targets.calls import Call
from jobs.targets.target import Target
from lib.errors import ServiceError
from lib.quoting import quote_name

_PLACES = pa.schema(
    {"kafka_partition": pa.int32(), "kafka_offset": pa.int64(), "number": pa.int64()}
)

# A copy with the records, so that neither changes during the replay; `number` is the offset of each
# in the replay's topic.
_LETTERS = """
CREATE TABLE {letters} ENGINE = MergeTree ORDER BY number AS
SELECT d.*, p.number AS number
FROM {dead} AS d FINAL
INNER JOIN {places} AS p
    ON d.kafka_partition = p.kafka_partition AND d.kafka_offset = p.kafka_offset
WHERE d.topic = {{topic:String}} AND d.has_record AND d.replayed_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Staging:
    """The tables of a replay of the dead letters of one insert, each in SQL.

    `targets` maps each target of the job that gets rows to the one in its place. `has_run` is
    whether the job has run with the inserts that it has now."""

    call: Call
    count: int
    places: str
    letters: str
    dead: str
    targets: Mapping[Target, Target]
    has_run: bool


@contextmanager
def opened(
    client: Client, job: Job, call: Call, name: str, places: Sequence[tuple[int, int]]
) -> Iterator[Staging]:
    """Make the tables of a replay of the dead letters at these places, and drop them afterwards."""
    staging = _of(job, call, name, len(places))
    try:
        _make(client, staging, places)
        yield staging
    finally:
        _drop(client, job, name)


def drop_abandoned(client: Client, job: Job) -> None:
    """Drop the tables of replays of this job that were killed."""
    _drop(client, job, name_pattern(job))


def of_topic(job: Job, topic: str) -> list[Call]:
    """The calls whose rows each identify a record of the topic."""
    texts = {
        text
        for file in job.files
        if file.kind == "insert" and calls.topics(file, job.files) == {topic}
        for text, _ in file.targets
    }
    return [call for call in job.calls if call.target.is_tracked and call.text in texts]


def _of(job: Job, call: Call, name: str, count: int) -> Staging:
    database = call.target.dead_letters[0] if call.target.dead_letters else ""
    dead = database, f"{name}_dead"
    targets = {}
    for number, each in enumerate(of_topic(job, call.topic)):
        relation = f"{name}_rows_{number}"
        targets[each.target] = replace(
            each.target,
            relation=relation,
            name=relation,
            dead_letters=dead if each.target.dead_letters else None,
        )

    def table(kind: str) -> str:
        return f"{quote_name(database)}.{quote_name(f'{name}_{kind}')}"

    return Staging(
        call,
        count,
        table("places"),
        table("letters"),
        table("dead"),
        targets,
        has_run=state.newest(job.state) is not None,
    )


def _make(client: Client, staging: Staging, places: Sequence[tuple[int, int]]) -> None:
    dead = staging.call.target.dead_letter_table
    client.command(
        f"CREATE TABLE {staging.places} (kafka_partition Int32, kafka_offset Int64, number Int64)"
        " ENGINE = MergeTree ORDER BY number"
    )
    numbered = [(*place, number) for number, place in enumerate(places)]
    columns = [pa.array(column) for column in zip(*numbered, strict=True)]
    client.insert_arrow(
        staging.places, pa.table(columns, names=_PLACES.names).cast(_PLACES), settings=_NOW
    )
    sql = _LETTERS.format(letters=staging.letters, dead=dead, places=staging.places)
    client.command(sql, parameters={"topic": staging.call.topic}, settings=_NOW)
    count = client.command(f"SELECT count() FROM {staging.letters}")
    if count != staging.count:
        raise ServiceError(f"{dead}: its rows changed during the selection; replay them again.")
    client.command(f"CREATE TABLE {staging.dead} AS {dead}")
    for target, stand_in in staging.targets.items():
        client.command(
            f"CREATE TABLE {stand_in.table} AS {target.table}"
            " ENGINE = MergeTree ORDER BY kafka_offset"
        )


_NOW = {"async_insert": 0}


def _drop(client: Client, job: Job, names: str) -> None:
    """Drop the tables of the replays whose names match."""
    targets = [call.target for call in job.calls]
    letters = [target.dead_letters[0] for target in targets if target.dead_letters]
    rows = client.query(
        "SELECT database, name FROM system.tables"
        " WHERE database IN {databases:Array(String)} AND match(name, {pattern:String})",
        parameters={
            "databases": sorted({*letters, *(target.database for target in targets)}),
            "pattern": f"^{names}_(places|letters|dead|rows_[0-9]+)$",
        },
    ).result_rows
    for database, name in rows:
        client.command(f"DROP TABLE IF EXISTS {quote_name(database)}.{quote_name(name)} SYNC")


def new_name(job: Job) -> str:
    """A name for one replay, with which those of its tables begin, and which its topic has."""
    return jobs.run_name("replay", job.name)


def name_pattern(job: Job) -> str:
    """A regular expression for the names of this job's replays."""
    return jobs.run_pattern("replay", job.name)
