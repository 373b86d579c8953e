"""Reports a run to ClickHouse, each second: the run in job_runs, its status in job_status.

Nothing here delays the job. A row that cannot be written is left out, and the next second writes
newer ones.
"""

import json
import logging
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from jobs.job import Job
from jobs.kafka.deleted_records import LostRecords, describe
from jobs.kafka.lag import LagMonitor
from jobs.run import lifecycle
from jobs.run.status import JobStatus
from lib import clickhouse
from lib.errors import MillraceError, ServiceError, one_line
from lib.files import show
from lib.settings import Settings

log = logging.getLogger("millrace.report")

# How often the status is written, and how long the end waits for the last rows, in seconds.
EVERY = 1.0
END_LIMIT = 5.0


@contextmanager
def reporting(config: Settings, job: Job, resume: Path | None) -> Iterator["Report"]:
    """The report of one run, which ends as the block does: stopped, or failed with the error."""
    report = Report(config, job, resume)
    try:
        yield report
    except MillraceError as error:
        report.end("failed", str(error))
        raise
    except (KeyboardInterrupt, SystemExit):
        # Stopped before there was anything to save.
        report.end("stopped", "")
        raise
    except BaseException as error:
        report.end("failed", one_line(repr(error)))
        raise
    report.end("stopped", "")


@dataclass(frozen=True, slots=True)
class Update:
    """What is to be written next: a status, or a state that holds until there is another."""

    state: str
    status: JobStatus | None = None
    rates: tuple[float | None, float | None] = (None, None)


class Report:
    """One run; a thread of its own writes, so that a ClickHouse that hangs delays nothing else."""

    def __init__(self, config: Settings, job: Job, resume: Path | None) -> None:
        self._settings = config.clickhouse
        self._run = {
            "run_id": str(uuid.uuid4()),
            "job": job.name,
            "started_at": _now(),
            "resumed_from": show(resume) if resume else "",
            "files": {Path(file.place).name: file.text for file in job.files},
        }
        self.lag = LagMonitor(config.kafka.bootstrap_servers, job.topics, job.reads_committed)
        self._next: Update | None = Update("STARTING")
        self._last: dict[str, Any] = {}
        self._written_run: dict[str, Any] = {}
        self._lost = ""
        self._has_run = False
        # Whether earlier runs left the job as one that should run; None: not known yet.
        self._should_run: bool | None = None
        self._ended = threading.Event()
        self._client: Client | None = None
        self._logged = ""
        self._thread = threading.Thread(target=self._write_all, name="report", daemon=True)
        self._thread.start()

    def set_status(self, now: JobStatus, before: JobStatus | None) -> None:
        """Report a status, with the rates since another; never waits."""
        self._next = Update(now.state, now, now.rates(before))
        self._has_run |= now.state == "RUNNING"

    def set_lost(self, lost: Sequence[LostRecords]) -> None:
        """Report all that was deleted from Kafka before this run read it; never waits."""
        self._lost = describe(lost)

    def set_state(self, state: str) -> None:
        """Report a state each second until the next status; never waits."""
        self._next = Update(state)

    def end(self, status: str, message: str) -> None:
        """Write how the run ended, if ClickHouse takes it within END_LIMIT."""
        self._last = {"status": status, "message": message, "ended_at": _now()}
        self._ended.set()
        self.lag.close()
        self._thread.join(END_LIMIT)

    def _write_all(self) -> None:
        is_last, pause = False, 0.0
        while not is_last:
            is_last, pause = self._ended.wait(pause), EVERY
            try:
                self._write(is_last)
            except ServiceError as error:
                self._log_once(str(error))
            except Exception:
                # A bug in here must not end the job.
                log.exception("job %s: not reported", self._run["job"])
        if self._client:
            self._client.close()

    def _write(self, is_last: bool) -> None:
        if self._should_run is None:
            with clickhouse.explained(self._settings):
                self._should_run = lifecycle.should_run(
                    self._connected(), self._settings.database, str(self._run["job"])
                )
        if is_last:
            state, message = self._last["status"].upper(), self._last["message"]
            both = " ".join(filter(None, [message, self._lost]))
            self._insert("job_runs", {**self._run, **self._last, "message": both})
            self._insert("job_status", {**self._identity(state), "message": message})
            return
        run = {**self._run, "status": "running", "message": self._lost}
        if run != self._written_run:
            self._insert("job_runs", run)
            self._written_run = run
        # A status is written once: one that no other follows shows its age.
        update, self._next = self._next, None
        if update and not update.status:
            self._next = update
        if update:
            row = {**self._identity(update.state), **self._status(update)}
            self._insert("job_status", row)

    def _identity(self, state: str) -> dict[str, Any]:
        """Which job is in which state, and whether it should run."""
        run = {name: self._run[name] for name in ("job", "run_id")}
        should_run = state != "STOPPED" and bool(self._has_run or self._should_run)
        return {**run, "state": state, "should_run": should_run, "lost": self._lost}

    def _status(self, update: Update) -> dict[str, Any]:
        status = update.status or JobStatus(0.0, update.state)
        return {
            "message": status.reason or self.lag.problem or status.problem,
            "notice": status.notice,
            "records_per_second": update.rates[0],
            "rows_per_second": update.rates[1],
            "checkpointed_at": _now(status.checkpoint_age),
            "uncollected": status.uncollected,
            "partitions": [
                {"topic": topic, "partition": number, "lag": lag}
                for (topic, number), lag in status.lags.items()
            ],
        }

    def _insert(self, table: str, row: Mapping[str, Any]) -> None:
        with clickhouse.explained(self._settings):
            self._connected().raw_insert(
                f"{self._settings.database}.{table}",
                insert_block=json.dumps(row),
                fmt="JSONEachRow",
                settings={"async_insert": 0, "date_time_input_format": "best_effort"},
            )

    def _connected(self) -> Client:
        if self._client is None:
            self._client = clickhouse.connect(self._settings)
        return self._client

    def _log_once(self, text: str) -> None:
        if text != self._logged:
            log.warning("job %s: not reported: %s", self._run["job"], text)
        self._logged = text


def _now(age: float | None = 0.0) -> str | None:
    """The time so many seconds ago, as ClickHouse reads it."""
    if age is None:
        return None
    return (datetime.now(UTC) - timedelta(seconds=age)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
