"""How far a contender is, as seen from outside, at as little cost as possible."""

import json
import time
import urllib.request
from collections.abc import Callable

import click
from clickhouse_connect.driver.client import Client

from bench.contenders import Contender
from bench.running import TABLE, Task
from jobs.flink.rest import Rest
from lib.errors import ServiceError
from lib.waiting import until

# How long the first record may take, in seconds.
START_LIMIT = 180.0
# Seconds from one look at the progress to the next: before the first record, and later.
FIRST_PAUSE, PAUSE = 0.05, 0.2


def of(contender: Contender, given: Task, client: Client) -> Callable[[], int]:
    """What returns the number of records that are done."""
    if contender.progress == "table":
        return lambda: rows(client)
    if contender.progress == "flink":
        return lambda: in_flink(given.rest_port)
    return lambda: in_file(given)


def wait(done: Callable[[], int], look: Callable[[], None], count: int) -> float:
    """Return after how many seconds so many rows were stored; `look` raises if none will be."""
    begun = time.monotonic()

    def is_done() -> bool:
        if done() >= count:
            return True
        look()
        return False

    if not until(is_done, START_LIMIT, pause=FIRST_PAUSE):
        raise click.ClickException(f"no row was stored within {START_LIMIT:.0f} s")
    return time.monotonic() - begun


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
