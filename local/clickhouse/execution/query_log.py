"""system.query_log, which the engine does not keep: queries, their users and their costs."""

import json
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from time import time

from lib.sql_lexer import lexemes
from local.clickhouse.engine.handle import Handle, Totals
from local.clickhouse.engine.statement import Insert
from local.clickhouse.errors import QueryError
from local.clickhouse.execution.run import Answer
from local.clickhouse.request.query import Query

# The latest queries are kept, in memory: at most 40 MB of text.
_MAX_QUERIES = 10_000
_MAX_TEXT = 4_000
_COLUMNS = """
    type Enum8('QueryStart' = 1, 'QueryFinish' = 2, 'ExceptionBeforeStart' = 3,
               'ExceptionWhileProcessing' = 4),
    event_date Date, event_time DateTime, event_time_microseconds DateTime64(6),
    query_start_time DateTime, query_start_time_microseconds DateTime64(6),
    query_duration_ms UInt64, read_rows UInt64, read_bytes UInt64, written_rows UInt64,
    written_bytes UInt64, result_rows UInt64, result_bytes UInt64,
    current_database LowCardinality(String), query String, query_kind LowCardinality(String),
    exception_code Int32, exception String, user LowCardinality(String), query_id String,
    initial_query_id String, log_comment String
"""
_INSERT = Insert(b"INSERT INTO system.query_log", "JSONEachRow", 0)


@dataclass(slots=True)
class Entry:
    """A running query; `answer` is set once there is one, `error` if it failed."""

    query: Query
    begun: float
    answer: Answer | None = None
    error: QueryError | None = None


class QueryLog:
    """Queries that have ended, written into the table when a query reads it."""

    def __init__(self) -> None:
        self._ended: deque[bytes] = deque(maxlen=_MAX_QUERIES)

    def begin(self, query: Query) -> Entry:
        """An entry for a query that begins now."""
        return Entry(query, time())

    def end(self, entry: Entry) -> None:
        """Keep a query that has ended."""
        self._ended.append(json.dumps(_row(entry, time())).encode(errors="replace"))

    def is_read_by(self, query: Query) -> bool:
        """Whether a query mentions the table."""
        return b"query_log" in query.sql

    def write(self, handle: Handle) -> None:
        """Bring the table up to date."""
        handle.ask(
            f"CREATE TABLE IF NOT EXISTS system.query_log ({_COLUMNS}) ENGINE = Memory "
            f"SETTINGS max_rows_to_keep = {_MAX_QUERIES}"
        )
        rows = b"\n".join(self._taken())
        if rows:
            handle.insert(_INSERT, _INSERT.fmt or "", rows, {}, Totals())

    def _taken(self) -> Iterator[bytes]:
        # Another query of the table may take the last one at the same time.
        with suppress(IndexError):
            while True:
                yield self._ended.popleft()


def _row(entry: Entry, now: float) -> dict[str, object]:
    query, error = entry.query, entry.error or (entry.answer.error if entry.answer else None)
    begun = f"{entry.begun:.6f}"
    totals = asdict(entry.answer.totals if entry.answer else Totals())
    del totals["elapsed_ns"]
    failed = "ExceptionWhileProcessing" if entry.answer else "ExceptionBeforeStart"
    return totals | {
        "type": failed if error else "QueryFinish",
        "event_date": int(now) // 86400,
        "event_time": int(now),
        "event_time_microseconds": f"{now:.6f}",
        "query_start_time": int(entry.begun),
        "query_start_time_microseconds": begun,
        "query_duration_ms": round((now - entry.begun) * 1000),
        "current_database": query.database or "default",
        "query": query.text[:_MAX_TEXT].decode(errors="replace"),
        "query_kind": _kind(query.text),
        "exception_code": error.code if error else 0,
        "exception": error.text if error else "",
        "user": query.user.name,
        "query_id": query.query_id,
        "initial_query_id": query.query_id,
        "log_comment": query.settings.get("log_comment", ""),
    }


def _kind(text: bytes) -> str:
    first = next((token.text for token in lexemes(text) if token.kind == "word"), "")
    return "Select" if first.upper() in ("WITH", "FROM") else first.capitalize()
