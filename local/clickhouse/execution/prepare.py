"""A fresh handle, prepared for one query: settings, database, external tables."""

from lib.clickhouse_errors import Code
from lib.quoting import quote_name, quote_string
from local.clickhouse.engine.handle import Handle, Totals
from local.clickhouse.engine.statement import Insert
from local.clickhouse.errors import refusal
from local.clickhouse.request.forms import External
from local.clickhouse.request.query import Query

# A text that the engine keeps with each query and otherwise reads only for Redis and NATS tables.
MARK = "stream_like_engine_insert_queue"


def prepare(handle: Handle, query: Query) -> None:
    """Give a fresh handle the query's settings and tables, and the user's limits last."""
    own = {"implicit_select": "0", MARK: query.mark}
    handle.set(own | {"log_comment": query.settings.get("log_comment", query.query_id)})
    settings = query.engine_settings
    if query.user.may_write:
        # The format settings are for the tables' rows too; readonly is for the query only.
        handle.set({name: text for name, text in settings.items() if name != "readonly"})
    for table in query.externals:
        _fill(handle, table)
    if query.database:
        handle.use(query.database)
    if not query.user.may_write:
        handle.set({**query.user.limits, "readonly": "1"})
        handle.set(settings)
    elif query.readonly != "0" and not query.session:
        handle.set({"readonly": query.readonly})


def _fill(handle: Handle, table: External) -> None:
    """Create an external table as a temporary one; its structure is passed as a string literal."""
    name = quote_name(table.name)
    handle.ask(
        f"CREATE TEMPORARY TABLE {name} ENGINE = Memory "
        f"AS SELECT * FROM null({quote_string(table.structure)})"
    )
    if not table.fmt.isalnum():
        raise refusal(Code.UNKNOWN_FORMAT, f"Unknown format {table.fmt}")
    insert = Insert(f"INSERT INTO {name}".encode(), table.fmt, 0)
    handle.insert(insert, table.fmt, table.data, {}, Totals())
