"""The table of dead letters of a target, and whether it fits."""

import re

from clickhouse_connect.driver.client import Client

from jobs.targets.target import Target
from jobs.targets.types import SECONDS

# The columns that the sink fills, each with the type that it sends.
COLUMNS = {
    "topic": "String",
    "kafka_partition": "Int32",
    "kafka_offset": "Int64",
    "kafka_timestamp": "DateTime64(3, 'UTC')",
    "stage": "String",
    "reason": "String",
    "inserted_by": "String",
    "has_record": "Bool",
    "version": "UInt32",
}
# The first and the last Kafka timestamp that the table holds, in milliseconds since 1970. One that
# is beyond is kept as the nearest.
FIRST, LAST = 1000 * SECONDS["DateTime64"][0], 1000 * SECONDS["DateTime64"][1] - 1
# The columns that the collector and a replay fill.
OTHERS = {
    "key": "Nullable(String)",
    "value": "Nullable(String)",
    "replayed_at": "Nullable(DateTime64(3, 'UTC'))",
}

_TYPES = """
SELECT name, replaceRegexpOne(type, '^LowCardinality[(](.*)[)]$', '\\\\1') FROM system.columns
WHERE database = {database:String} AND table = {relation:String}
"""
_ENGINE = """
SELECT any(engine_full), any(sorting_key) FROM system.tables
WHERE database = {database:String} AND name = {relation:String}
"""
_REPLACING = re.compile(r"\w*ReplacingMergeTree\((?:.*, )?version\)")


def problems(client: Client, target: Target) -> list[str]:
    """Why the sink cannot fill the table of dead letters, with a remedy; nothing for a target that
    names no such table."""
    if not target.dead_letters:
        return []
    where = dict(zip(("database", "relation"), target.dead_letters, strict=True))
    types = {name: kind for name, kind in client.query(_TYPES, where).result_rows}
    engine, key = client.query(_ENGINE, where).result_rows[0]
    table, remedy = (
        target.dead_letter_table,
        "make it as sql/clickhouse/007_table_dead_letters.sql does.",
    )
    expected = COLUMNS | OTHERS
    missing = [name for name in expected if name not in types]
    if not types:
        return [f"{table}: table not found in ClickHouse; {remedy}"]
    if missing:
        return [f"{table}: has no column {' and no '.join(missing)}; {remedy}"]
    if others := [name for name in expected if types[name] != expected[name]]:
        facts = (f"{name} is {types[name]}, not {expected[name]}" for name in others)
        return [f"{table}: column {', column '.join(facts)}; {remedy}"]
    if not _REPLACING.match(engine) or key != "topic, kafka_partition, kafka_offset":
        return [
            f"{table}: is {engine.partition(' ')[0]} ordered by {key or 'nothing'}, so that a "
            f"record could be there twice or in an earlier state; {remedy}"
        ]
    return []
