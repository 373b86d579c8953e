"""The calls of Flink's REST API that a runner needs.

https://nightlies.apache.org/flink/flink-docs-release-2.3/docs/ops/rest_api/
"""

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import urllib3

from lib.errors import ServiceError, UnavailableError

# How long an answer may take while the live line waits for it, in seconds.
REQUEST_LIMIT = 5.0

# How long a savepoint may take, in seconds: the sink may be waiting for ClickHouse.
SAVEPOINT_LIMIT = 120.0

# Why a savepoint fails while tasks still start, in Flink's words; the job goes on.
_TOO_EARLY = "Not all required tasks are currently running"

_POSITION = re.compile(
    r"KafkaSourceReader\.topic\.(?P<topic>.+)\.partition\.(?P<partition>\d+)\.currentOffset$"
)

_WATERMARK = re.compile(r"^Source__.*\.currentOutputWatermark$")
# Java's Long.MIN_VALUE, before the first.
_NO_WATERMARK = -(2**63)


class Rest:
    """One running job in the REST API of its cluster."""

    def __init__(self, address: str, job_id: str, logs: str) -> None:
        self.address = address
        self.job_id = job_id
        self._job = f"/jobs/{job_id}"
        self.logs = logs
        self._pool = urllib3.PoolManager(retries=False)

    def get(self, path: str = "") -> Any:
        """The JSON that GET /jobs/<id><path> answers; raise UnavailableError if there is no answer,
        and ServiceError for one that is none."""
        return self._ask("GET", f"{self._job}{path}", None, REQUEST_LIMIT)

    def _ask(self, method: str, path: str, body: Any, timeout: float) -> Any:
        url = f"http://{self.address}{path}"
        try:
            answer = self._pool.request(method, url, json=body, timeout=timeout)
        except urllib3.exceptions.HTTPError as error:
            raise UnavailableError(
                f"Flink at {self.address} does not answer; see {self.logs}."
            ) from error
        if answer.status >= 400:
            fact = f"{method} {path}: {answer.status} {answer.data[:200]!r}"
            raise ServiceError(f"Flink at {self.address}: {fact}; see {self.logs}.")
        return answer.json() if answer.data else {}

    def state(self) -> str:
        """CREATED, RUNNING, RESTARTING, FAILED ..."""
        return str(self.get()["state"])

    def task_managers(self) -> int:
        """How many task managers the cluster has; raise ServiceError as `get` does."""
        return int(self._ask("GET", "/overview", None, REQUEST_LIMIT)["taskmanagers"])

    def last_failure(self) -> str:
        """The last failure of the job, with its Java and Python traces; empty if there is none."""
        entries = self.get("/exceptions?maxExceptions=1")["exceptionHistory"]["entries"]
        return str(entries[0]["stacktrace"]) if entries else ""

    def last_checkpoint(self) -> dict[str, Any] | None:
        """The newest completed one: id, end_to_end_duration (ms), latest_ack_timestamp (ms)."""
        completed: dict[str, Any] | None = self.get("/checkpoints")["latest"]["completed"]
        return completed

    def metrics(
        self, names: Collection[str]
    ) -> tuple[dict[str, float], dict[tuple[str, int], int]]:
        """Sums over all tasks of the metrics of these short names; and the offset that Flink last
        read of each (topic, partition), -1 if it has read none."""
        sums: dict[str, float] = {}
        positions: dict[tuple[str, int], int] = {}

        def is_wanted(name: str) -> bool:
            return _short(name) in names or _POSITION.search(name) is not None

        for vertex in self.get()["vertices"]:
            for name, value in self._metrics(vertex, is_wanted, "sum"):
                if match := _POSITION.search(name):
                    positions[match["topic"], int(match["partition"])] = int(value)
                else:
                    sums[_short(name)] = sums.get(_short(name), 0.0) + value
        return sums, positions

    def watermark(self) -> int | None:
        """The lowest watermark of the sources, in milliseconds since 1970; None if none has one."""
        found = [
            int(value)
            for vertex in self.get()["vertices"]
            # Each question is asked once a second, and a job may have many operators.
            if vertex["name"].startswith("Source: ")
            for _, value in self._metrics(vertex, _is_watermark, "min")
        ]
        lowest = min(found, default=_NO_WATERMARK)
        return lowest if lowest > _NO_WATERMARK else None

    def _metrics(
        self, vertex: Mapping[str, Any], is_wanted: Callable[[str], bool], aggregation: str
    ) -> Iterator[tuple[str, float]]:
        """The wanted metrics of a vertex by name, aggregated over its tasks."""
        path = f"/vertices/{vertex['id']}/subtasks/metrics"
        wanted = [metric["id"] for metric in self.get(path) if is_wanted(metric["id"])]
        if wanted:
            for metric in self.get(f"{path}?get={quote(','.join(wanted))}&agg={aggregation}"):
                yield metric["id"], metric[aggregation]

    def stop(self, folder: str) -> str:
        """Stop with a savepoint under `folder`, return its path; raise ServiceError if it fails."""
        deadline = time.monotonic() + SAVEPOINT_LIMIT

        def ask(method: str, path: str, body: Any = None) -> Any:
            # Flink may be busy with the savepoint itself, which an early timeout would lose.
            timeout = max(deadline - time.monotonic(), REQUEST_LIMIT)
            return self._ask(method, f"{self._job}{path}", body, timeout)

        def begin() -> str:
            answer = ask("POST", "/stop", {"targetDirectory": folder, "drain": False})
            return str(answer["request-id"])

        trigger = begin()
        while time.monotonic() < deadline:
            answer = ask("GET", f"/savepoints/{trigger}")
            if answer["status"]["id"] == "COMPLETED":
                done = answer["operation"]
                if "location" in done:
                    return str(done["location"])
                failure = done["failure-cause"]
                if _TOO_EARLY not in failure.get("stack-trace", ""):
                    raise ServiceError(f"the savepoint failed: {_cause(failure)}")
                time.sleep(0.5)
                trigger = begin()
            time.sleep(0.1)
        raise ServiceError(f"no savepoint after {SAVEPOINT_LIMIT:.0f} s")


def _is_watermark(name: str) -> bool:
    return _WATERMARK.search(name) is not None


def _short(metric: str) -> str:
    """The last part of a metric's id, and Source.<part> for that of a source operator."""
    first, _, last = metric.rpartition(".")
    is_source = first.startswith("Source__") and "." not in first
    return f"Source.{last}" if is_source else last


def _cause(failure: dict[str, str]) -> str:
    """The innermost cause of a failure in the REST API's form, without its trace."""
    lines = failure.get("stack-trace", "").splitlines()
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return (causes or [failure["class"]])[-1].removeprefix("Caused by: ")
