"""Handles of chDB: statements run, streamed and inserted, with totals and errors.

A handle used after it was closed crashes the process, so a Handle is owned by one request
(or one session) and closed by its owner only when no thread is inside it.
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from lib.clickhouse_errors import Code
from lib.quoting import quote_name, quote_string
from local.clickhouse.engine.infile import as_file
from local.clickhouse.engine.statement import Insert, goes_on
from local.clickhouse.errors import from_engine, refusal

# chdb's Python classes over this one drop the last block of a stream, which holds WITH TOTALS
# and the header of an empty answer.
_chdb: Any = import_module("chdb._chdb")
# chDB decodes an error as UTF-8, and the error may quote a text that is not.
_ERRORS = (RuntimeError, UnicodeDecodeError)
# The engine writes backups to any folder, as it writes files: its only users are on this machine.
_OPTIONS = "?backups.allowed_path=/"


@dataclass(slots=True)
class Totals:
    """The counts of a statement, as in the X-ClickHouse-Summary header."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0
    elapsed_ns: int = 0

    def add(self, result: Any) -> None:
        """Count one result, or one block of a stream."""
        self.read_rows += result.storage_rows_read()
        self.read_bytes += result.storage_bytes_read()
        self.written_rows += result.rows_written()
        self.written_bytes += result.bytes_written()
        self.result_rows += result.rows_read()
        self.result_bytes += result.bytes_read()


class NotStreamableError(Exception):
    """chDB streams SELECT only; the statement has not run."""


class Handle:
    """One connection to the engine, with settings and temporary tables of its own."""

    def __init__(self, path: Path) -> None:
        try:
            self._connection = _chdb.connect(f"{path}{_OPTIONS}")
        except _ERRORS as error:
            raise from_engine(error) from None

    def run(self, sql: bytes | str, fmt: str, params: Mapping[str, str], totals: Totals) -> bytes:
        """Run a statement to its end and return all of its answer."""
        try:
            result = self._connection.query(_bytes(sql), _bytes(fmt), params=dict(params))
        except _ERRORS as error:
            raise from_engine(error) from None
        totals.add(result)
        return bytes(result.bytes() or b"")

    def ask(self, sql: bytes | str, params: Mapping[str, str] | None = None) -> str:
        """Run a statement of the embedded server itself; the answer as TabSeparated text."""
        return self.run(sql, "TabSeparated", params or {}, Totals()).decode(errors="replace")

    def stream(
        self, sql: bytes, fmt: str, params: Mapping[str, str], totals: Totals
    ) -> Generator[bytes, None, None]:
        """Yield a SELECT's answer block by block; closing the generator cancels the query."""
        try:
            result = self._connection.send_query(sql, fmt, params=dict(params))
        except _ERRORS as error:
            failure = from_engine(error)
            if "Streaming query is not supported" in failure.text:
                raise NotStreamableError from None
            raise failure from None
        yield from self._blocks(result, totals)

    def _blocks(self, result: Any, totals: Totals) -> Iterator[bytes]:
        """Yield the blocks. The last one has no rows, but may hold totals or an empty answer's
        header."""
        finished = False
        try:
            while not finished:
                block = self._connection.streaming_fetch_result(result)
                finished = block is None or block.rows_read() == 0
                if block is not None:
                    totals.add(block)
                    yield bytes(block.bytes() or b"")
        except _ERRORS as error:
            finished = True
            raise from_engine(error) from None
        finally:
            if not finished:
                self._connection.streaming_cancel_query(result)

    def insert(
        self, insert: Insert, fmt: str, data: bytes, params: Mapping[str, str], totals: Totals
    ) -> None:
        """Insert rows in any input format and return when all are stored; raise QueryError if any
        part of it failed, in the table or in a view behind it.

        The engine reads them from a file. Its send_insert takes bytes as well, but reports success
        even if an error follows after the rows are read."""
        if fmt.lower() == "values" and goes_on(data):
            # The engine would ignore the rest and report success.
            raise refusal(Code.CANNOT_READ_ALL_DATA, "Cannot read data after semicolon")
        with as_file(data) as path:
            self.run(insert.from_infile(path, fmt), "TabSeparated", params, totals)

    def set(self, settings: Mapping[str, str]) -> None:
        """Set settings in one statement; the engine refuses unknown ones."""
        if settings:
            pairs = (
                f"{quote_name(name)} = {quote_string(text)}" for name, text in settings.items()
            )
            self.ask("SET " + ", ".join(pairs))

    def use(self, database: str) -> None:
        """Make a database the current one."""
        self.ask(f"USE {quote_name(database)}")

    def classify(self, sql: bytes | str) -> tuple[str, int]:
        """The class that the engine's parser gives a text, and the number of statements in it."""
        try:
            classified = self._connection.classify_query(sql)
        except _ERRORS as error:
            raise from_engine(error) from None
        return classified["query_class"].name, classified["statement_count"]

    def close(self) -> None:
        """Give the handle back; it must not be used again."""
        self._connection.close()


def _bytes(text: bytes | str) -> bytes:
    """The bytes of a text, in which a surrogate stands for a byte that is not UTF-8."""
    return text.encode(errors="surrogateescape") if isinstance(text, str) else text


def content_types(handle: Handle) -> dict[str, str]:
    """The engine's Content-Type of each output format; the names are in lower case."""
    rows = handle.ask("SELECT lower(name), content_type FROM system.formats WHERE is_output")
    return dict(row.split("\t") for row in rows.splitlines())
