"""The function as Flink calls it."""

from typing import Any

import pandas as pd
import pytest
from clickhouse_connect.driver.client import Client

from jobs.sink.clickhouse_insert import ClickHouseInsert, SinkSettings
from lib.errors import SinkError
from lib.settings import ClickHouse
from tests.jobs.sink.test_writer import COLUMNS, partition, stored, table, values

__all__ = ["table"]


class Counter:
    def __init__(self) -> None:
        self.value = 0

    def inc(self, by: int) -> None:
        self.value += by


class Context:
    """The part of Flink's FunctionContext that the sink uses."""

    def __init__(self, attempt: int = 0) -> None:
        self.rows, self.dead_letters = Counter(), Counter()
        self._attempt = attempt

    def get_index_of_this_subtask(self) -> int:
        return 0

    def get_attempt_number(self) -> int:
        return self._attempt

    def get_metric_group(self) -> "Context":
        return self

    def counter(self, name: str) -> Counter:
        return {"rows_inserted": self.rows, "dead_letters": self.dead_letters}[name]


def open_sink(settings: ClickHouse, job: str, attempt: int = 0) -> tuple[ClickHouseInsert, Context]:
    sink, context = ClickHouseInsert(SinkSettings(settings, job)), Context(attempt)
    sink.open(context)
    return sink, context


def test_the_function_answers_for_each_row_and_counts_what_it_stored(
    clickhouse: ClickHouse, client: Client, table: str
) -> None:
    text = f"{table} {COLUMNS}"
    for new in (3, 0):
        sink, context = open_sink(clickhouse, table)
        answer = sink.eval(text, *values(*partition(0, 3)))
        assert answer.tolist() == [int(new > 0)] * 3
        assert context.rows.value == new
    assert client.command(f"SELECT any(inserted_by) FROM {table}") == f"{table}/t"


def test_after_a_batch_that_failed_no_later_one_is_stored(
    clickhouse: ClickHouse, client: Client, table: str
) -> None:
    sink, _ = open_sink(clickhouse, table)
    text = f"{table} {COLUMNS}"
    with pytest.raises(SinkError):
        sink.eval(text, "x", *values(*partition(0, 3))[1:])
    for later, _ in [(sink, None), open_sink(clickhouse, table)]:
        with pytest.raises(RuntimeError, match="a batch failed before this one"):
            later.eval(text, *values(*partition(0, 3, 6)))
    assert stored(client, table) == []
    sink, _ = open_sink(clickhouse, table, attempt=1)
    sink.eval(text, *values(*partition(0, 6)))
    assert stored(client, table) == partition(0, 6)


@pytest.mark.parametrize(
    ("text", "arguments", "fact"),
    [
        ("no target", (pd.Series([1]),), "'no target' is not a target; write 'database.table"),
        ("stocks.t (n)", (1, "x"), "all values are constants; name a column of the stream"),
        ("nowhere.t (n)", (pd.Series([1]),), "nowhere.t: table not found in ClickHouse"),
    ],
)
def test_wrong_calls_are_refused(
    clickhouse: ClickHouse, text: str, arguments: tuple[Any, ...], fact: str
) -> None:
    sink, _ = open_sink(clickhouse, f"job {text}")
    with pytest.raises(SinkError, match=r"^clickhouse_insert: ") as error:
        sink.eval(text, *arguments)
    assert fact in str(error.value) and "\n" not in str(error.value)
