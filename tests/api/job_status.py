"""What a runner reports about its job, and how /health shows it."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from tests.api.support import Api

RUN = uuid.UUID(int=7)
STATUS = ["job", "run_id", "reported_at", "state", "message", "records_per_second",
          "rows_per_second", "checkpointed_at", "partitions", "should_run",
          "lost"]  # fmt: skip


def report(
    client: Client, state: str = "RUNNING", age: float = 0, job: str = "stocks", **more: Any
) -> None:
    """Say of a job what its runner would, so many seconds ago; what it says now is good for an
    hour, for a machine may be slow."""
    now = datetime.now(UTC)
    at = now - timedelta(seconds=age) if age else now + timedelta(hours=1)
    ran = state not in ("STARTING", "STOPPED")
    given = {"message": "", "rows": 2.5, "lags": [0, 3], "should_run": ran, "lost": "", **more}
    partitions = [("t", number, lag) for number, lag in enumerate(given["lags"])]
    row = [job, RUN, at, state, given["message"], 3.5, given["rows"], now, partitions]
    row += [given["should_run"], given["lost"]]
    client.insert("stocks.job_status", [row], column_names=STATUS)


def part(api: Api, name: str) -> dict[str, Any]:
    """What /health says of one part."""
    return next(found for found in api.health().json()["parts"] if found["part"] == name)
