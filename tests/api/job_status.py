"""What a runner reports about its job, and how /health shows it."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from tests.api.support import Api

RUN = uuid.UUID(int=7)
STATUS = ["job", "run_id", "reported_at", "state", "message", "records_per_second",
          "rows_per_second", "checkpointed_at", "partitions", "should_run",
          "lost", "notice"]  # fmt: skip


def report(
    client: Client, state: str = "RUNNING", age: float = 0, job: str = "stocks", **more: Any
) -> None:
    """Store the status of a job as its runner would, so many seconds ago; one of now is new for an
    hour, as the machine may be slow."""
    now = datetime.now(UTC)
    at = now - timedelta(seconds=age) if age else now + timedelta(hours=1)
    ran = state not in ("STARTING", "STOPPED")
    fields = {"message": "", "rows": 2.5, "lags": [0, 3], "should_run": ran, "lost": "", **more}
    partitions = [("t", number, lag) for number, lag in enumerate(fields["lags"])]
    row = [job, RUN, at, state, fields["message"], 3.5, fields["rows"], now, partitions]
    row += [fields["should_run"], fields["lost"], fields.get("notice", "")]
    client.insert("stocks.job_status", [row], column_names=STATUS)


def part(api: Api, name: str) -> dict[str, Any]:
    """One part of /health."""
    return next(each for each in api.health().json()["parts"] if each["part"] == name)
