"""What others can know of a job: each run, and what its runner sees, as rows in ClickHouse.

Nothing here holds the job up. What cannot be told or written now is left out, and the next second
tells more.
"""

import json
import logging
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from kafka.admin import KafkaAdminClient

from jobs.follow import Glance
from lib import clickhouse, kafka
from lib.errors import MillraceError, ServiceError, one_line
from lib.settings import Settings
from lib.sqlfiles import SqlFile, show

log = logging.getLogger("millrace.record")

# How often the state is written, and how long the end waits for its last words, in seconds.
EVERY = 1.0
LAST_WORDS = 5.0

Partition = tuple[str, int]


@contextmanager
def of(
    config: Settings, job: str, files: Sequence[SqlFile], resume: Path | None
) -> Iterator["Record"]:
    """The record of one run, which ends as its block does: stopped, or failed with the error."""
    record = Record(config, job, files, resume)
    try:
        yield record
    except BaseException as error:
        is_ours = isinstance(error, MillraceError)
        record.end("failed", str(error) if is_ours else one_line(repr(error)))
        raise
    record.end("stopped", "")


class Record:
    """One run; a thread of its own writes, so that a ClickHouse that hangs delays nobody."""

    def __init__(
        self, config: Settings, job: str, files: Sequence[SqlFile], resume: Path | None
    ) -> None:
        self._config = config
        self._topics = sorted({topic for file in files for topic in file.topics})
        self._run = {
            "run_id": str(uuid.uuid4()),
            "job": job,
            "started_at": _text(datetime.now(UTC)),
            "resumed_from": show(resume) if resume else "",
            "files": {file.place: file.text for file in files},
        }
        self._seen = Glance(0.0, "STARTING")
        self._rates: tuple[float | None, float | None] = (None, None)
        self._last: dict[str, str] = {}
        self._ended = threading.Event()
        self._client: Client | None = None
        self._admin: KafkaAdminClient | None = None
        self._said = ""
        self._thread = threading.Thread(target=self._write, name=f"record of {job}", daemon=True)
        self._thread.start()

    def note(self, now: Glance, before: Glance | None) -> None:
        """Take over what a look at the job has shown; never waits."""
        self._seen, self._rates = now, now.rates(before)

    def end(self, status: str, message: str) -> None:
        """Write how the run ended, if ClickHouse takes it within LAST_WORDS."""
        self._last = {
            "status": status,
            "message": message,
            "ended_at": _text(datetime.now(UTC)),
        }
        self._ended.set()
        self._thread.join(LAST_WORDS)

    def _write(self) -> None:
        is_begun = self._insert("job_runs", {**self._run, "status": "running"})
        while not self._ended.is_set():
            is_begun = is_begun or self._insert("job_runs", {**self._run, "status": "running"})
            self._insert("job_status", self._status())
            self._ended.wait(EVERY)
        self._insert("job_runs", {**self._run, **self._last})
        seen = {"state": self._last["status"].upper(), "message": self._last["message"]}
        self._insert("job_status", {**self._identity(), **seen})
        self._close()

    def _identity(self) -> dict[str, str]:
        return {
            "job": str(self._run["job"]),
            "run_id": str(self._run["run_id"]),
            "reported_at": _text(datetime.now(UTC)),
        }

    def _status(self) -> dict[str, Any]:
        seen, ends = self._seen, self._ends()
        age = seen.checkpoint_age
        done = None if age is None else _text(datetime.now(UTC) - timedelta(seconds=age))
        found = lags(ends, seen.positions, seen.lag)
        return {
            **self._identity(),
            "state": seen.state,
            "message": seen.reason,
            "records_per_second": self._rates[0],
            "rows_per_second": self._rates[1],
            "checkpointed_at": done,
            "partitions": [
                {"topic": topic, "partition": number, "lag": lag}
                for (topic, number), lag in found.items()
            ],
        }

    def _ends(self) -> dict[Partition, int]:
        """The next offset of each partition; nothing while Kafka does not tell."""
        servers = self._config.kafka.bootstrap_servers
        try:
            if self._admin is None:
                self._admin = kafka.connect(servers)
            return kafka.ends(self._admin, servers, self._topics)
        except ServiceError as error:
            self._note(str(error))
            if self._admin:
                self._admin.close()
            self._admin = None
            return {}

    def _insert(self, table: str, row: Mapping[str, Any]) -> bool:
        """Write one row; return whether ClickHouse took it."""
        settings = self._config.clickhouse
        try:
            with clickhouse.explained(settings):
                if self._client is None:
                    self._client = clickhouse.connect(settings)
                self._client.raw_insert(
                    f"{settings.database}.{table}",
                    insert_block=json.dumps(row),
                    fmt="JSONEachRow",
                    settings={"async_insert": 0, "date_time_input_format": "best_effort"},
                )
        except ServiceError as error:
            self._note(str(error))
            return False
        return True

    def _note(self, text: str) -> None:
        """Log what cannot be told or written, once."""
        if text != self._said:
            log.warning("job %s: not recorded: %s", self._run["job"], text)
        self._said = text

    def _close(self) -> None:
        with suppress(ClickHouseError, OSError):
            if self._client:
                self._client.close()
        if self._admin:
            self._admin.close()


def lags(
    ends: Mapping[Partition, int], positions: Mapping[Partition, int], pending: float | None
) -> dict[Partition, int | None]:
    """How many records of each partition Flink has not read: None where nobody knows.

    `positions` are offsets last read, -1 or missing where none was since the start; `pending` is
    Flink's own sum."""

    def lag(partition: Partition, end: int) -> int | None:
        position = positions.get(partition, -1)
        # Flink's figures are a second old: what came since is no lag while it keeps up.
        if pending == 0 or end == 0:
            return 0
        return max(end - position - 1, 0) if position >= 0 else None

    return {partition: lag(partition, end) for partition, end in sorted(ends.items())}


def _text(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
