"""The settings of the sink's inserts, and which failures are retried for how long."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from lib.clickhouse_errors import is_about_values, is_transient
from lib.errors import SinkError, one_line

# How long an insert is retried before it fails and Flink restarts from the last checkpoint, in
# seconds: enough for a restart of ClickHouse, and short enough for a job that is to stop.
RETRY_LIMIT = 20.0

_PLAIN = {
    # The answer comes when the rows are stored, not when they are queued.
    "async_insert": 0,
    # A missing value is an error, never a default.
    "input_format_null_as_default": 0,
    "input_format_arrow_allow_missing_columns": 0,
    # One insert is one block, which its token names, and one part: stored whole or not at all.
    "max_block_size": 10_000_000,
    "max_insert_block_size": 10_000_000,
    "min_insert_block_size_rows": 10_000_000,
    "min_insert_block_size_bytes": 0,
    # A part of few rows is read whole at no cost; merges make its indexes.
    "materialize_skip_indexes_on_insert": 0,
    # A batch that is sent again reaches the materialized views that it did not reach before.
    "deduplicate_blocks_in_dependent_materialized_views": 1,
}


class RefusedInsertError(SinkError):
    """ClickHouse refuses an insert; `reason` are its words, and `is_about_values` says whether a
    value of the rows is the cause."""

    def __init__(self, table: str, error: DatabaseError) -> None:
        self.reason = one_line(error)
        self.is_about_values = is_about_values(error.code, str(error))
        super().__init__(
            f"{table}: ClickHouse refuses the rows: {self.reason}; "
            "fix the table or the view that it names, or what the job's SQL selects."
        )


def settings(token: str, query_id: str) -> dict[str, Any]:
    """The settings of one insert; `token` names its rows, `query_id` this try."""
    return {
        **_PLAIN,
        "query_id": query_id,
        "log_comment": query_id,
        "insert_deduplication_token": token,
    }


def retrying() -> Retrying:
    """Retries with a growing pause while the failure may pass; raise the last after RETRY_LIMIT."""
    return Retrying(
        retry=retry_if_exception(_may_pass),
        stop=stop_after_delay(RETRY_LIMIT),
        wait=wait_random_exponential(multiplier=0.1, max=3),
        reraise=True,
    )


@contextmanager
def explained(table: str) -> Iterator[None]:
    """Turn a failure of an insert that cannot pass into a RefusedInsertError."""
    try:
        yield
    except DatabaseError as error:
        if is_transient(error.code, str(error)):
            raise
        raise RefusedInsertError(table, error) from error


def _may_pass(error: BaseException) -> bool:
    """Whether ClickHouse was unavailable or overloaded; a refusal is a SinkError by then."""
    return isinstance(error, ClickHouseError | OSError)
