"""The materialized views behind a table."""

from clickhouse_connect.driver.client import Client

from jobs.targets.target import Target
from lib.errors import SinkError

# The views that a table feeds, and whether it leaves out what comes again under the same token.
_VIEWS = """
SELECT
    arrayMap((d, t) -> concat(d, '.', t), dependencies_database, dependencies_table) AS views,
    match(engine, '^(Replicated|Shared)') OR toUInt64(if(
        position(engine_full, 'non_replicated_deduplication_window =') > 0,
        extract(engine_full, 'non_replicated_deduplication_window = ([0-9]+)'),
        (
            SELECT value FROM system.merge_tree_settings
            WHERE name = 'non_replicated_deduplication_window'
        )
    )) > 0 AS deduplicates
FROM system.tables
WHERE database = {database:String} AND name = {relation:String}
"""


def feeds_views(client: Client, target: Target) -> bool:
    """Whether a table feeds materialized views, which may then lack rows of an insert that failed;
    raise SinkError if it does, and would store those rows twice if they were sent again."""
    where = {"database": target.database, "relation": target.relation}
    rows = client.query(_VIEWS, where).result_rows
    views, deduplicates = rows[0] if rows else ([], True)
    if views and not deduplicates:
        raise SinkError(
            f"{target.table}: an insert failed when the table may have had its rows, which "
            f"{', '.join(views)} may lack; fill that from the table, and set "
            "non_replicated_deduplication_window = 1000 on both, so that the sink sends them again."
        )
    return bool(views)
