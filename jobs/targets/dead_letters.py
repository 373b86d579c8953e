"""The table of dead letters of a target, and whether it fits."""

from clickhouse_connect.driver.client import Client

from jobs.targets.target import Target

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
FIRST, LAST = -2_208_988_800_000, 10_413_791_999_999
# The columns that the collector and a replay fill.
OTHERS = ("key", "value", "replayed_at")

_FACTS = """
SELECT
    (
        SELECT groupArray(name) FROM system.columns
        WHERE database = {database:String} AND table = {relation:String}
    ),
    any(engine),
    any(sorting_key)
FROM system.tables
WHERE database = {database:String} AND name = {relation:String}
"""


def problems(client: Client, target: Target) -> list[str]:
    """Why the sink cannot fill the table of dead letters, with a remedy; nothing for a target that
    names no such table."""
    if not target.dead_letters:
        return []
    where = dict(zip(("database", "relation"), target.dead_letters, strict=True))
    names, engine, key = client.query(_FACTS, where).result_rows[0]
    remedy = "make it as sql/clickhouse/007_table_dead_letters.sql does."
    missing = [name for name in (*COLUMNS, *OTHERS) if name not in names]
    if not names:
        return [f"{target.dead_letter_table}: table not found in ClickHouse; {remedy}"]
    if missing:
        return [f"{target.dead_letter_table}: has no column {' and no '.join(missing)}; {remedy}"]
    if "Replacing" not in engine or key != "topic, kafka_partition, kafka_offset":
        return [
            f"{target.dead_letter_table}: is {engine} ordered by {key or 'nothing'}, so that a "
            f"record could be there twice; {remedy}"
        ]
    return []
