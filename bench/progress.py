"""How far a contender is, as seen from outside, at as little cost as possible."""

import json
import urllib.request
from collections.abc import Callable

from clickhouse_connect.driver.client import Client

from bench.contenders import Contender
from bench.running import TABLE, Task
from jobs.flink.rest import Rest
from lib.errors import ServiceError


def of(contender: Contender, given: Task, client: Client) -> Callable[[], int]:
    """What returns the number of records that are done."""
    if contender.progress == "table":
        return lambda: rows(client)
    if contender.progress == "flink":
        return lambda: in_flink(given.rest_port)
    return lambda: in_file(given)


def rows(client: Client) -> int:
    """The rows of the table: the sum of those of its parts, of which none is read."""
    return int(client.query(f"SELECT count() FROM {TABLE}").result_rows[0][0])


def in_file(given: Task) -> int:
    file = given.state / "progress"
    return int(file.read_text()) if file.exists() else 0


def in_flink(port: int) -> int:
    """The records that the source has passed on; Flink renews this figure every second."""
    address = f"127.0.0.1:{port}"
    try:
        with urllib.request.urlopen(f"http://{address}/jobs/overview", timeout=5) as answer:
            jobs = json.load(answer)["jobs"]
        name = "Source.numRecordsOut"
        metrics = Rest(address, jobs[0]["jid"], "its log").metrics([name])[0] if jobs else {}
    except (OSError, ServiceError):
        return 0
    return int(metrics.get(name, 0))
