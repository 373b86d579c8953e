"""How long the rows of a table are kept: the TTL of each table that the settings name.

It counts from the timestamp of the Kafka record, as Kafka's own retention does: a record that is
read again after its row was removed is removed again, and stays no longer than the first time.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client
from kafka.admin import ConfigResource

from lib import kafka, sql_variables
from lib.errors import SettingsError, SqlFileError
from lib.quoting import quote_name
from lib.settings import Settings

COLUMN = "kafka_timestamp"
DAY = 86_400_000

_TABLE = """
SELECT
    engine_full,
    (
        SELECT count() FROM system.columns
        WHERE database = {d:String} AND table = {t:String} AND name = {column:String}
    )
FROM system.tables
WHERE database = {d:String} AND name = {t:String}
"""
_TTL = re.compile(rf" TTL {COLUMN} \+ toIntervalDay\((\d+)\)(?= SETTINGS |$)")


@dataclass(frozen=True, slots=True)
class _Source:
    """A topic whose records are rows of a table, and for how long Kafka keeps them: milliseconds,
    or None for ever."""

    topic: str
    kept: int | None


def apply(client: Client, config: Settings, say: Callable[[str], None]) -> None:
    """Set the TTL of each table that retention.days names, or remove it, and report each change;
    raise SettingsError for a table that cannot have it.

    Rows must not be removed while Kafka has their records: a job that begins at its sources would
    not find them in the table, and store the records again."""
    tables = {name: _table(client, name, days) for name, days in config.retention.days.items()}
    for name, days in config.retention.days.items():
        if days:
            _check_kept(config, name, days)
        if days != tables[name]:
            database, table = (quote_name(part) for part in name.split("."))
            change = f"MODIFY TTL {COLUMN} + toIntervalDay({days})" if days else "REMOVE TTL"
            client.command(f"ALTER TABLE {database}.{table} {change}")
            say(f"table {name}: rows are kept for {f'{days} days' if days else 'ever'}")


def shortest(days: Mapping[str, int | None], tables: Iterable[str]) -> int | None:
    """For how many days the rows of these tables are kept at least; None for ever."""
    return min((limit for name in tables if (limit := days.get(name))), default=None)


def removed_before(days: int | None) -> int:
    """The timestamp before which a row may have been removed that is kept for so many days, in
    milliseconds since 1970."""
    return int(1e3 * time.time()) - days * DAY if days else 0


def _table(client: Client, name: str, days: int | None) -> int | None:
    """For how many days the rows of a table are kept, by a TTL as we set it; raise SettingsError if
    it cannot be set to `days`."""
    place = f"retention.days: {name}"
    if name.count(".") != 1:
        raise SettingsError(f"{place}: not the name of a table; write database.table.")
    database, table = name.split(".")
    found = client.query(_TABLE, {"d": database, "t": table, "column": COLUMN}).result_rows
    # The defaults name tables that another SQL folder does not make.
    if days is None and not (found and found[0][1]):
        return None
    if not found:
        raise SettingsError(f"{place}: ClickHouse has no such table; fix the name, or remove it.")
    engine, has_column = found[0]
    if not has_column:
        raise SettingsError(
            f"{place}: the table has no column {COLUMN}, from which rows are counted; remove it, "
            "and write a TTL in the table's own file of sql/clickhouse."
        )
    ttl = _TTL.search(engine)
    return int(ttl[1]) if ttl else None


def _check_kept(config: Settings, table: str, days: int) -> None:
    for source in _sources(config, table):
        if source.kept is None or source.kept > days * DAY:
            kept = "for ever" if source.kept is None else f"for {source.kept / DAY:g} days"
            raise SettingsError(
                f"retention.days: {table} keeps rows for {days} days, and Kafka the records of "
                f"topic {source.topic} {kept}: a job that begins at its sources would store "
                "removed rows again; keep them as long, or set the topic's retention.ms."
            )


def _sources(config: Settings, table: str) -> list[_Source]:
    """The topics of the jobs with an insert into the table, as far as Kafka has them."""
    topics: set[str] = set()
    named = re.compile(rf"(?<![\w.]){re.escape(table)}(?![\w.])")
    for folder in (config.sql_dir / "flink").glob("*/"):
        try:
            files = sql_variables.load(folder, config.variables())
        except SqlFileError:
            # Such a job does not run.
            continue
        targets = [target for file in files for target, _ in file.targets]
        if any(named.search(re.sub(r"[`\"]", "", target)) for target in targets):
            topics.update(topic for file in files for topic in file.topics)
    kept = _kept_by_kafka(config.kafka.bootstrap_servers, topics) if topics else {}
    return [_Source(*item) for item in sorted(kept.items())]


def _kept_by_kafka(servers: str, names: Iterable[str]) -> dict[str, int | None]:
    """How long the records of each topic that exists are kept, in milliseconds; None for ever."""
    with kafka.admin(servers) as client:
        known = sorted(set(names) & set(client.list_topics()))
        if not known:
            return {}
        wanted = dict.fromkeys(("retention.ms", "cleanup.policy"))
        described = client.describe_configs(
            [ConfigResource("TOPIC", name, wanted) for name in known], config_filter="all"
        )
        kept: dict[str, int | None] = {}
        for name, options in described["topic"].items():
            limit = int(options["retention.ms"]["value"])
            deletes = "delete" in options["cleanup.policy"]["value"]
            kept[name] = limit if deletes and limit >= 0 else None
        return kept
