"""clickhouse_insert('database.table (columns)', ...): the sink, one vectorized UDF for any table.

One Arrow batch is one synchronous insert. Flink finishes the batch before a checkpoint passes, so
whatever a checkpoint covers is in ClickHouse. See docs/adr for why no record is stored twice.
"""

import secrets
from typing import Any

import numpy as np
import pandas as pd
from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext, ScalarFunction, udf

from jobs.sink import arrow_columns
from jobs.sink.store import Store
from jobs.sink.writer import Writer
from jobs.targets import target
from lib import clickhouse
from lib.errors import JobError, SinkError
from lib.settings import ClickHouse

# Batches begun but not stored, as (job, subtask, attempt, target). After a failure Flink may still
# pass the next batch to a new instance of the same attempt, whose stored offset would also cover
# the lost batch.
_unfinished: set[tuple[str, int, int, str]] = set()

arrow_columns.install()


class ClickHouseInsert(ScalarFunction):
    """The UDF. Returns 1 for each row it stored and 0 for each that was stored before.

    Raises SinkError for rows that the table cannot take exactly or that come out of order."""

    def __init__(self, settings: ClickHouse, job: str) -> None:
        self._settings = settings
        self._job = job

    def open(self, function_context: FunctionContext) -> None:
        subtask = function_context.get_index_of_this_subtask()
        number = function_context.get_attempt_number()
        self._life = (self._job, subtask, number)
        # Subtask and attempt do not name one life of the sink: a new start counts from 0.
        self._attempt = f"{subtask}/{number}/{secrets.token_hex(8)}"
        self._rows = function_context.get_metric_group().counter("rows_inserted")
        self._writers: dict[str, Writer] = {}

    def eval(self, text: str, *values: Any) -> pd.Series:
        batch = (*self._life, text)
        if batch in _unfinished:
            raise RuntimeError("a batch failed before this one, which must wait for a new attempt")
        _unfinished.add(batch)
        try:
            stored = self._insert(text, values)
        except JobError as error:
            raise SinkError(f"clickhouse_insert: {error}") from error
        _unfinished.discard(batch)
        return stored

    def is_deterministic(self) -> bool:
        return False

    def _insert(self, text: str, values: tuple[Any, ...]) -> pd.Series:
        columns = (value for value in values if isinstance(value, pd.Series | pd.DataFrame))
        rows = next(map(len, columns), None)
        if rows is None:
            raise SinkError(f"{text}: all values are constants; name a column of the stream.")
        writer = self._writers.get(text) or self._open_writer(text)
        stored = writer.insert(values, rows)
        self._rows.inc(int(stored.sum()))
        return pd.Series(stored.astype(np.int64))

    def _open_writer(self, text: str) -> Writer:
        parsed = target.parse(text)
        # Rows are compressed for a network, which loopback is not.
        client = clickhouse.connect(self._settings, compress=not self._settings.is_local)
        store = Store(client, parsed, f"{self._job}/{parsed.name}", self._attempt)
        self._writers[text] = Writer(store)
        return self._writers[text]


def clickhouse_insert(settings: ClickHouse, job: str) -> Any:
    """The function to register under that name for one job."""
    return udf(ClickHouseInsert(settings, job), result_type=DataTypes.BIGINT(), func_type="pandas")
