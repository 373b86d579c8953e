"""clickhouse_insert('database.table (columns)', ...): the sink, a vectorized UDF for any table.

One Arrow batch is one synchronous insert. Flink finishes the batch before a checkpoint passes, so
whatever a checkpoint covers is in ClickHouse. See docs/adr for why no record is stored twice.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext, ScalarFunction, udf

from jobs.sink import arrow_columns, batches
from jobs.sink.dead_letters import DeadLetters
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


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """A job's name and settings for the sink.

    `topics` has the topic of each target that has a table of dead letters, by the target's text;
    `beside` the texts of the targets whose records such a target accounts for. Without
    `keeps_dead_letters` the first record that is no row stops the job."""

    clickhouse: ClickHouse
    job: str
    topics: Mapping[str, str] = field(default_factory=dict)
    beside: frozenset[str] = frozenset()
    keeps_dead_letters: bool = True


class ClickHouseInsert(ScalarFunction):
    """The UDF. Returns 1 for each row that it stored, and 0 for each that was stored before or is a
    dead letter.

    Raises SinkError for rows out of order and, unless they become dead letters, for rows that the
    table cannot hold exactly."""

    def __init__(self, settings: SinkSettings) -> None:
        self._settings = settings

    def open(self, function_context: FunctionContext) -> None:
        subtask = function_context.get_index_of_this_subtask()
        number = function_context.get_attempt_number()
        self._life = (self._settings.job, subtask, number)
        # Subtask and attempt do not name one life of the sink: a new start counts from 0.
        self._attempt = f"{subtask}/{number}/{secrets.token_hex(8)}"
        metrics = function_context.get_metric_group()
        self._rows, self._dead = map(metrics.counter, ("rows_inserted", "dead_letters"))
        self._writers: dict[str, Writer] = {}
        self._batches = batches.of(self._settings.job)
        self._batches.note_open()

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
        self._batches.note()
        return stored

    def is_deterministic(self) -> bool:
        return False

    def _insert(self, text: str, values: tuple[Any, ...]) -> pd.Series:
        columns = (value for value in values if isinstance(value, pd.Series | pd.DataFrame))
        rows = next(map(len, columns), None)
        if rows is None:
            raise SinkError(f"{text}: all values are constants; name a column of the stream.")
        writer = self._writers.get(text) or self._open_writer(text)
        inserted = writer.insert(values, rows)
        self._rows.inc(int(inserted.is_stored.sum()))
        self._dead.inc(inserted.dead_letters)
        return pd.Series(inserted.is_stored.astype(np.int64))

    def _open_writer(self, text: str) -> Writer:
        settings, parsed = self._settings, target.parse(text)
        # Rows are compressed for a network, which loopback is not.
        client = clickhouse.connect(settings.clickhouse, compress=not settings.clickhouse.is_local)
        name = f"{settings.job}/{parsed.name}"
        store = Store(client, parsed, name, self._attempt)
        letters = None
        keeps = settings.keeps_dead_letters
        if parsed.dead_letters:
            letters = DeadLetters(client, parsed, settings.topics[text], name, self._attempt)
        skips_repeated = keeps and text in settings.beside
        self._writers[text] = Writer(store, letters, keeps, skips_repeated)
        return self._writers[text]


def clickhouse_insert(settings: SinkSettings) -> Any:
    """The function to register under that name for one job."""
    return udf(ClickHouseInsert(settings), result_type=DataTypes.BIGINT(), func_type="pandas")
